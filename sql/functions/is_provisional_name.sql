-- is_provisional_name(name): whether a newborn is still called after the mother: 某之子, 某之女.
SELECT REGEXP_MATCHES($name, '之[子女]$')
