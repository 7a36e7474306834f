-- W1: a TXT record holds the token `s.txt_token` where the token stands in the text of one record of
-- `a.texts`, as it is written, with no letter or digit directly before or behind it. A token that is
-- missing or blank is held by nothing, nor is one that no record has room for.
(s.txt_token ~ '[^[:space:]]' AND length(s.txt_token) <= 65535
 AND EXISTS (
   SELECT FROM unnest(a.texts) AS t (text)
   WHERE t.text COLLATE "C" ~ ('(?<![A-Za-z0-9])'
                               || regexp_replace(s.txt_token, '[][\\.^$*+?(){}|]', '\\\&', 'g')
                               || '(?![A-Za-z0-9])')))
