"""Makes every weight file that ships, by ``stylewidgets train ...`` alone."""
