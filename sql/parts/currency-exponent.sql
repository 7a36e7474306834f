-- ISO 4217: how many decimals `k.currency` has; amounts are kept in its minor unit.
CASE WHEN k.currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF',
                         'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
     WHEN k.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
     WHEN k.currency IN ('CLF', 'UYW') THEN 4
     ELSE 2 END
