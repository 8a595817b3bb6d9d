-- is_common_name(name): whether a name has only characters that every GBK system can show, or Latin ones.
SELECT REGEXP_MATCHES($name, '^[一-龥〇·A-Za-z .''-]+$')
