-- ISO 4217: in how many decimals the money of f.currency is counted; lib/currency.c says the same.
CASE WHEN f.currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
                         'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
     WHEN f.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
     ELSE 2 END
