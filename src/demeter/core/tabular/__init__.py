"""Tables of rows, in and out: the one reader of CSV and XLSX, the one writer of XLSX and PDF."""
