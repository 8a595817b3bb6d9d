"""Files as partners send them: one reader, by which the pull counts rows and conforming reads them."""
