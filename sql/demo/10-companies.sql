-- Demo data, part 10: the companies, one account each.
--
-- `no` numbers a company: its people are users no * 10000 + k, its organizations no * 100 + n (n = 0
-- is the personal workspace), its teams no * 100 + 50 + n. It is the account's id wherever that is
-- small enough. Accounts 1 to 50 are ordinary customers. From 200 on each account shows a rule or an
-- edge: README.md says which. Those with a plan here get an ordinary subscription of that plan in part
-- 30, those without one get theirs in parts 80 and 81. All domains end in .example, which no mail reaches.

SET LOCAL TIME ZONE 'UTC';

CREATE TABLE demo.companies (
  account_id bigint PRIMARY KEY,
  no integer NOT NULL UNIQUE,
  name text NOT NULL,
  domain text NOT NULL UNIQUE,
  tongues text[] NOT NULL,      -- whose names its people have, see part 20
  people integer NOT NULL,
  plan text,
  channel text,
  months integer,
  seats integer,                -- null: enough for its people
  currency text,
  scim text,
  created_at timestamptz
);

INSERT INTO demo.companies (account_id, no, name, domain, tongues, people, plan, channel, months, seats, currency, scim)
SELECT no, no, name, domain || '.example', tongues, people, plan, channel, months, seats, currency, scim
FROM (VALUES
  ( 1, 'Nordlicht Versicherung AG',            'nordlicht-versicherung', '{de,en,pl,it,tr}'::text[], 5600, 'enterprise', 'sales', 12, NULL, 'EUR', 'okta'),
  ( 2, '三和精密機械株式会社',                   'sanwa-seimitsu',         '{ja,ja,ja,en}', 3900, 'enterprise', 'sales',      12, NULL, 'JPY', 'azure'),
  ( 3, 'Banco Río Claro S.A.',                 'banco-rioclaro',         '{es,es,pt}',    2400, 'enterprise', 'sales',      12, NULL, 'USD', 'okta'),
  ( 4, 'Helios Logistics International',       'helios-logistics',       '{en,el,fr,ar}', 1800, 'enterprise', 'sales',      12, 1500, 'USD', NULL),
  ( 5, '한빛소프트웨어 주식회사',                'hanbit-soft',            '{ko}',          1300, 'enterprise', 'sales',      12, NULL, 'KRW', 'azure'),
  ( 6, 'Ørsund Energi A/S',                    'orsund-energi',          '{no,no,en}',    1000, 'enterprise', 'sales',      12, NULL, 'DKK', 'okta'),
  ( 7, '华辰云计算有限公司',                     'huachen-cloud',          '{zh}',           800, 'enterprise', 'sales',      12,   -1, 'USD', NULL),
  ( 8, 'Eaux du Léman Société coopérative',    'eaux-du-leman',          '{fr,de,it}',     600, 'enterprise', 'sales',      12, NULL, 'CHF', 'azure'),
  ( 9, 'ТОВ «Дніпро Цифрові Системи»',         'dnipro-digital',         '{uk}',           500, 'pro',        'sales',      12, NULL, 'USD', NULL),
  (10, 'Türkay Lojistik A.Ş.',                 'turkay-lojistik',        '{tr}',           400, 'pro',        'sales',      12, NULL, 'EUR', NULL),
  (11, 'सह्याद्रि सॉफ्टवेयर प्राइवेट लिमिटेड',      'sahyadri-software',      '{hi,hi,en}',     350, 'enterprise', 'sales',      12, NULL, 'INR', 'okta'),
  (12, 'شركة النخيل للتقنية',                  'alnakheel-tech',         '{ar}',           300, 'enterprise', 'sales',      12, NULL, 'USD', NULL),
  (13, 'גלבוע מערכות בע"מ',                    'gilboa-systems',         '{he}',           250, 'pro',        'sales',      12, NULL, 'USD', NULL),
  (14, 'บริษัท สยามคลาวด์ จำกัด',              'siam-cloud',             '{th}',           200, 'pro',        'self_serve', 12,  150, 'USD', NULL),
  (15, 'Αιγαίο Ναυτιλιακή Α.Ε.',               'aigaio-shipping',        '{el}',           150, 'pro',        'self_serve', 12, NULL, 'EUR', NULL),
  (16, 'Zakłady Chemiczne Żuraw S.A.',         'zuraw-chemia',           '{pl}',           120, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (17, 'Công ty TNHH Sao Biển',                'saobien',                '{vi}',           100, 'enterprise', 'sales',      12, NULL, 'USD', NULL),
  (18, 'Brightwater Health Ltd',               'brightwater-health',     '{en,hi}',         80, 'enterprise', 'sales',       1, NULL, 'GBP', 'azure'),
  (19, 'Companhia Açucareira do Vale',         'acucareira-vale',        '{pt}',            70, 'pro',        'self_serve',  1, NULL, 'USD', NULL),
  (20, 'Hæklund & Sønner ApS',                 'haeklund',               '{no}',            60, 'pro',        'self_serve', 12, NULL, 'DKK', NULL),
  (21, 'Českomoravská pojišťovna a.s.',        'ceskomoravska',          '{pl,de}',         50, 'enterprise', 'sales',      12, NULL, 'EUR', NULL),
  (22, 'Maple Ridge Credit Union',             'mapleridge',             '{en,fr}',         48, 'enterprise', 'sales',      12, NULL, 'USD', NULL),
  (23, 'Завод «Вертикаль»',                    'vertikal-zavod',         '{ru}',            44, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (24, 'Estudio Ñandú S.R.L.',                 'estudio-nandu',          '{es}',            40, 'pro',        'self_serve', 12, NULL, 'USD', NULL),
  (25, '株式会社みどり出版',                     'midori-pub',             '{ja}',            38, 'pro',        'self_serve',  1, NULL, 'JPY', NULL),
  (26, 'Kaffeerösterei Grüner Baum e.K.',      'gruener-baum',           '{de}',            35, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (27, 'مختبرات الأطلس',                       'atlas-labs',             '{ar,fr}',         32, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (28, 'Van der Meer Waterbouw B.V.',          'vdmeer-waterbouw',       '{nl}',            30, 'pro',        'self_serve', 12, NULL, 'EUR', NULL),
  (29, '서울디자인랩',                          'seoul-designlab',        '{ko}',            28, 'pro',        'self_serve',  1, NULL, 'KRW', NULL),
  (30, 'Freelance Guild Coöperatie U.A.',      'freelance-guild',        '{nl,en,es,uk}',   26, 'pro',        'self_serve', 12, NULL, 'EUR', NULL),
  (31, 'Trattoria Digitale S.r.l.',            'trattoria-digitale',     '{it}',            24, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (32, 'Sündhaft Süß Konditorei',              'suendhaft-suess',        '{de}',            22, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (33, 'ห้องสมุดเปิด',                         'open-library-th',        '{th}',            20, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (34, 'Gdańsk Maker Space',                   'gdansk-makers',          '{pl}',            19, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (35, 'Québec Libre Logiciel',                'quebec-libre',           '{fr}',            18, 'pro',        'self_serve',  1, NULL, 'USD', NULL),
  (36, 'Индиго Софт',                          'indigo-soft',            '{ru}',            16, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (37, 'Nairobi Transit Data',                 'nairobi-transit',        '{en}',            15, 'enterprise', 'sales',      12, NULL, 'USD', NULL),
  (38, 'Θεσσαλονίκη Data Hub',                 'thess-datahub',          '{el}',            14, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (39, '青山設計事務所',                         'aoyama-sekkei',          '{ja}',            13, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (40, 'São Tomé Cacau Lda',                   'saotome-cacau',          '{pt}',            12, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (41, 'Đông Hải Studio',                      'donghai-studio',         '{vi}',            11, 'pro',        'self_serve',  1, NULL, 'USD', NULL),
  (42, 'רימון תוכנה',                          'rimon-software',         '{he}',            10, 'pro',        'self_serve', 12, NULL, 'USD', NULL),
  (43, 'नवरत्न डिजिटल',                          'navratna-digital',       '{hi}',             9, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (44, '深圳星桥科技',                           'xingqiao-tech',          '{zh}',             8, 'pro',        'self_serve',  1, NULL, 'USD', NULL),
  (45, 'Íslensk Veðurgögn ehf.',               'vedurgogn',              '{no}',             8, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (46, 'Oulun Pilvipalvelut Oy',               'oulun-pilvi',            '{no}',             7, 'pro',        'self_serve',  1, NULL, 'EUR', NULL),
  (47, 'Červený Kůň s.r.o.',                   'cerveny-kun',            '{pl}',             6, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (48, 'Harper Lee Tutoring',                  'harperlee-tutoring',     '{en}',             5, 'essentials', 'none', NULL, NULL, NULL,  NULL),
  (49, 'Clínica San Martín',                   'clinica-sanmartin',      '{es}',             5, 'pro',        'self_serve',  1, NULL, 'USD', NULL),
  (50, 'Ateliê Lírio',                         'atelie-lirio',           '{pt}',             5, 'essentials', 'none', NULL, NULL, NULL,  NULL)
) v (no, name, domain, tongues, people, plan, channel, months, seats, currency, scim);

-- The accounts that show a rule.
INSERT INTO demo.companies (account_id, no, name, domain, tongues, people, plan, channel, months, seats, currency)
SELECT coalesce(big_id, no), no, name, domain || '.example', ARRAY[tongue], people, plan,
       CASE plan WHEN 'enterprise' THEN 'sales' WHEN 'pro' THEN 'self_serve' WHEN 'essentials' THEN 'none' END,
       CASE plan WHEN 'enterprise' THEN 12 WHEN 'pro' THEN 1 END,
       seats, CASE WHEN plan IN ('enterprise', 'pro') THEN 'USD' END
FROM (VALUES
  -- 2xx: paid periods and scheduled seats (part 80)
  (201, 'Kestrel Analytics Inc.',      'kestrel-analytics', 'en', 6, NULL, NULL::integer, NULL::bigint),
  (202, 'Papeterie Dubois SARL',       'papeterie-dubois',  'fr', 6, NULL, NULL, NULL),
  (203, 'Linden Robotics GmbH',        'linden-robotics',   'de', 6, NULL, NULL, NULL),
  (204, 'Café Aurora OÜ',              'cafe-aurora',       'no', 5, NULL, NULL, NULL),
  (205, 'Tidewater Charts LLC',        'tidewater-charts',  'en', 5, NULL, NULL, NULL),
  (206, 'مسقط للشحن',                  'muscat-freight',    'ar', 7, NULL, NULL, NULL),
  (207, 'Pinheiro & Filhos Lda',       'pinheiro-filhos',   'pt', 6, NULL, NULL, NULL),
  (208, 'Valtteri Designs Oy',         'valtteri-designs',  'no', 6, NULL, NULL, NULL),
  (209, 'Corvina Wines Zrt.',          'corvina-wines',     'it', 8, NULL, NULL, NULL),
  (210, 'Ashgrove Media Ltd',          'ashgrove-media',    'en', 6, NULL, NULL, NULL),
  (211, 'Osprey Drones B.V.',          'osprey-drones',     'nl', 6, NULL, NULL, NULL),
  (212, 'Quill & Vellum Press',        'quill-vellum',      'en', 6, NULL, NULL, NULL),
  (213, '桜電気株式会社',                'sakura-denki',      'ja', 9, NULL, NULL, NULL),
  (214, 'Bluefin Payments plc',        'bluefin-payments',  'en', 6, NULL, NULL, NULL),
  (215, 'Rosa Cerámica S.L.',          'rosa-ceramica',     'es', 6, NULL, NULL, NULL),
  (216, 'Mistral Télécom SA',          'mistral-telecom',   'fr', 9, NULL, NULL, NULL),
  (217, 'Granit Bygg AB',              'granit-bygg',       'no', 6, NULL, NULL, NULL),
  (218, 'Ébène Cosmétiques',           'ebene-cosmetiques', 'fr', 6, NULL, NULL, NULL),
  (219, 'Baltic Timber UAB',           'baltic-timber',     'pl', 6, NULL, NULL, NULL),
  (220, 'Perpetua Foundation',         'perpetua',          'en', 6, NULL, NULL, NULL),
  (221, 'Delta Seguros S.A.',          'delta-seguros',     'es', 6, NULL, NULL, NULL),
  (222, 'Yeni Ufuk Yazılım',           'yeni-ufuk',         'tr', 6, NULL, NULL, NULL),
  (223, 'Zéphyr Airlines',             'zephyr-air',        'fr', 6, NULL, NULL, NULL),
  (224, 'Obsidian Games',              'obsidian-games',    'en', 6, NULL, NULL, NULL),
  (225, 'Pampa Cloud S.A.',            'pampa-cloud',       'es', 6, NULL, NULL, NULL),
  (226, 'Fjordline Ferries AS',        'fjordline-ferries', 'no', 6, NULL, NULL, NULL),
  (227, 'Harbor & Pine LLC',           'harbor-pine',       'en', 6, NULL, NULL, NULL),
  (228, 'Cobalt Range Mining Pty',     'cobalt-range',      'en', 8, NULL, NULL, NULL),
  (229, 'Ostravské strojírny a.s.',    'ostravske-stroje',  'pl', 6, NULL, NULL, NULL),
  (230, 'Ιόνιο Γιοτ Ε.Π.Ε.',           'ionian-yachts',     'el', 6, NULL, NULL, NULL),
  -- 3xx: trials and activation codes (part 80)
  (301, 'Marlow Biotech Ltd',          'marlow-biotech',    'en', 6, NULL, NULL, NULL),
  (302, 'Tienda Sol y Luna',           'sol-y-luna',        'es', 5, NULL, NULL, NULL),
  (303, 'Koralle Tauchschule',         'koralle-tauchen',   'de', 5, NULL, NULL, NULL),
  (304, 'Windmolen Energie',           'windmolen-energie', 'nl', 5, NULL, NULL, NULL),
  (305, '清水软件',                     'qingshui-soft',     'zh', 5, NULL, NULL, NULL),
  (306, 'Lotus Ayurveda',              'lotus-ayurveda',    'hi', 5, NULL, NULL, NULL),
  (307, 'Sirocco Studio',              'sirocco-studio',    'it', 5, NULL, NULL, NULL),
  (308, 'Polaris Edukacja',            'polaris-edu',       'pl', 6, NULL, NULL, NULL),
  (309, 'Vega Optik',                  'vega-optik',        'tr', 6, NULL, NULL, NULL),
  (310, 'Cascade Ski Patrol',          'cascade-ski',       'en', 5, NULL, NULL, NULL),
  (311, 'Montaña Verde Hoteles',       'montana-verde',     'es', 7, NULL, NULL, NULL),
  (312, 'Lagune Assurances',           'lagune-assur',      'fr', 5, NULL, NULL, NULL),
  (313, '두루미 물류',                  'durumi-logis',      'ko', 5, NULL, NULL, NULL),
  (314, 'Amber Coast Hotels',          'amber-coast',       'ru', 5, NULL, NULL, NULL),
  (315, 'Petrichor Gardens',           'petrichor-gardens', 'en', 5, NULL, NULL, NULL),
  (316, 'Solstício Eventos',           'solsticio-eventos', 'pt', 5, NULL, NULL, NULL),
  (317, 'Kranich Verlag',              'kranich-verlag',    'de', 5, NULL, NULL, NULL),
  (318, 'Stella Polare S.p.A.',        'stella-polare',     'it', 5, NULL, NULL, NULL),
  (319, 'Meridian Surveying',          'meridian-survey',   'en', 5, NULL, NULL, NULL),
  (320, 'Saffron Trails',              'saffron-trails',    'hi', 6, NULL, NULL, NULL),
  (321, 'Østkyst Fisk AS',             'ostkyst-fisk',      'no', 6, NULL, NULL, NULL),
  (322, 'Juniper Street Clinic',       'juniper-clinic',    'en', 5, NULL, NULL, NULL),
  (323, 'Orizzonte Viaggi',            'orizzonte-viaggi',  'it', 6, NULL, NULL, NULL),
  (324, 'Tundra Telemetry',            'tundra-telemetry',  'ru', 6, NULL, NULL, NULL),
  (325, 'Sempervirens Trust',          'sempervirens',      'en', 5, NULL, NULL, NULL),
  (326, 'Boréale Films',               'boreale-films',     'fr', 5, NULL, NULL, NULL),
  (327, 'Uhrwerk Labs',                'uhrwerk-labs',      'de', 5, NULL, NULL, NULL),
  (328, 'Hummingbird Events',          'hummingbird-events','en', 58, NULL, NULL, NULL),
  (329, 'Dahlia Textil',               'dahlia-textil',     'tr', 5, NULL, NULL, NULL),
  -- 4xx: organizations that stay, go or come back (part 81)
  (401, 'Wolfram Instruments GmbH',    'wolfram-instr',     'de', 7, NULL, NULL, NULL),
  (402, 'Estrela do Mar Turismo',      'estrela-do-mar',    'pt', 6, NULL, NULL, NULL),
  (403, 'Papillon Jouets',             'papillon-jouets',   'fr', 5, NULL, NULL, NULL),
  (404, 'Gemini Twin Studios',         'gemini-twin',       'en', 6, NULL, NULL, NULL),
  (405, 'Basalt Architekci',           'basalt-arch',       'pl', 6, NULL, NULL, NULL),
  (406, 'Rivière & Fils',              'riviere-fils',      'fr', 6, NULL, NULL, NULL),
  (407, 'Fenice Editore S.r.l.',       'fenice-editore',    'it', 6, NULL, NULL, NULL),
  (408, 'ฟีนิกซ์ สตูดิโอ',               'phoenix-studio-th', 'th', 5, NULL, NULL, NULL),
  (409, 'Kvarken Shipping',            'kvarken-shipping',  'no', 6, NULL, NULL, NULL),
  (410, 'Undine Wassertechnik',        'undine-wasser',     'de', 5, NULL, NULL, NULL),
  (411, 'Duet Recording Studio',       'duet-recording',    'en', 5, NULL, NULL, NULL),
  (412, 'Vacant Lot Projects',         'vacant-lot',        'en', 5, NULL, NULL, NULL),
  -- 5xx: invitations (part 82)
  (501, 'Secundo Uhren AG',            'secundo-uhren',     'de', 8, 'enterprise', 40, NULL),
  (502, 'Nulla Dies Studio',           'nulla-dies',        'it', 6, 'enterprise', 40, NULL),
  (503, 'Reprise Music Publishing',    'reprise-music',     'en', 6, 'pro', 30, NULL),
  (504, 'Closed Circle Advisory',      'closed-circle',     'en', 6, 'pro', 30, NULL),
  (505, 'Sommerzeit Reisen GmbH',      'sommerzeit-reisen', 'de', 6, 'enterprise', 30, NULL),
  (506, 'Quintet Consulting',          'quintet-consulting','es', 6, 'pro', 20, NULL),
  (507, 'Doppelt & Partner',           'doppelt-partner',   'de', 6, 'enterprise', 20, NULL),
  (508, 'Semper Apertus School',       'semper-apertus',    'en', 6, 'enterprise', 20, NULL),
  -- 6xx: owners, seats, teams, Git Sync (parts 83 and 84)
  (600, 'Ghost Kitchen Collective',    'ghost-kitchen',     'en', 5, NULL, NULL, NULL),
  (601, 'Orphan Wells Survey',         'orphan-wells',      'en', 6, 'pro', NULL, NULL),
  (602, 'Zwillinge & Co. KG',          'zwillinge-co',      'de', 6, 'pro', NULL, NULL),
  (603, 'Doublet Paris',               'doublet-paris',     'fr', 6, 'enterprise', 15, NULL),
  (604, 'Empty Chair Theatre',         'empty-chair',       'en', 9, 'enterprise', 15, NULL),
  (605, 'Netz & Fang Fischerei',       'netz-fang',         'de', 6, 'enterprise', 15, NULL),
  (606, 'Full House Realty',           'full-house',        'en', 12, 'pro', 8, NULL),
  (607, 'Spinnrad Textilwerke',        'spinnrad',          'de', 12, 'enterprise', 20, NULL),
  (608, 'Okavango Safaris',            'okavango-safaris',  'en', 12, 'enterprise', 20, NULL),
  (609, 'Last Light House Keepers',    'last-light',        'en', 6, 'enterprise', 20, NULL),
  (610, 'Staré Klíče s.r.o.',          'stare-klice',       'pl', 8, 'enterprise', 20, NULL),
  (611, 'Crossed Wires Telecom',       'crossed-wires',     'en', 8, 'enterprise', 20, NULL),
  (612, 'No Desk Nomads',              'no-desk-nomads',    'es', 5, 'pro', NULL, NULL),
  (613, 'Solo Unico di Bianchi',       'solo-unico',        'it', 1, 'essentials', NULL, NULL),
  (651, 'Quattro Amici',               'quattro-amici',     'it', 4, 'essentials', NULL, NULL),
  (652, 'Trio Tokyo',                  'trio-tokyo',        'ja', 3, 'essentials', NULL, NULL),
  (653, 'Shrinking Violet Florist',    'shrinking-violet',  'en', 4, 'essentials', NULL, NULL),
  (654, 'Plug Pulled Audio',           'plug-pulled',       'en', 5, 'essentials', NULL, NULL),
  (655, 'Aufwind Segelflug',           'aufwind',           'de', 6, 'pro', NULL, NULL),
  (656, 'Tresor Safes',                'tresor-safes',      'fr', 6, 'essentials', NULL, NULL),
  (657, 'Exception Faite SARL',        'exception-faite',   'fr', 6, 'essentials', NULL, NULL),
  (658, 'Local Only Archives',         'local-only',        'en', 6, 'essentials', NULL, NULL),
  (659, 'Dormant Volcano Tours',       'dormant-volcano',   'en', 6, 'essentials', NULL, NULL),
  (660, 'Two Hats Millinery',          'two-hats',          'en', 3, 'essentials', NULL, NULL),
  (661, 'Still Too Many Cooks',        'too-many-cooks',    'en', 5, 'essentials', NULL, NULL),
  -- 7xx: domains, capture, SCIM connections (part 85)
  (701, 'Harbourmaster Systems',       'harbourmaster',     'en', 10, 'enterprise', 40, NULL),
  (702, 'Musical Chairs Inc.',         'musical-chairs',    'en', 6, 'enterprise', 9, NULL),
  (703, 'Campus Nord Universität',     'campus-nord',       'de', 6, 'enterprise', 20, NULL),
  (704, 'Campus Süd Institut',         'campus-sued',       'de', 6, 'enterprise', 20, NULL),
  (705, 'Unproven Claims Ltd',         'unproven-claims',   'en', 5, 'enterprise', 20, NULL),
  (706, 'Wiedersehen Optik',           'wiedersehen-optik', 'de', 6, 'enterprise', 20, NULL),
  (707, 'Leftover Locks Co.',          'leftover-locks',    'en', 6, 'essentials', NULL, NULL),
  (708, 'Pro Forma Design',            'pro-forma',         'en', 6, 'pro', NULL, NULL),
  (709, 'Rizoma Botánica',             'rizoma-botanica',   'es', 6, 'enterprise', 20, NULL),
  (710, 'Vingt Jours Conseil',         'vingt-jours',       'fr', 6, 'enterprise', 20, NULL),
  (711, 'Bolt Before Door',            'bolt-before-door',  'en', 5, 'enterprise', 20, NULL),
  -- 8xx and 9xx: activity, difficult texts, large ids (parts 86 and 87)
  (801, 'Chronos Wellness GmbH',       'chronos-wellness',  'de', 24, 'enterprise', 40, NULL),
  (802, '=HYPERLINK("http://pay.example","Rechnung")', 'formula-traders', 'en', 16, 'pro', 30, NULL),
  (803, '@Home Services',              'at-home-services',  'en', 5, 'pro', NULL, NULL),
  (804, '+Plus, Minus & "Söhne"',      'plus-minus',        'de', 5, 'pro', NULL, NULL),
  (805, E'-Nord\nSüd\tHandel-',              'nord-sued',         'de', 5, 'pro', NULL, NULL),
  (806, U&'Cafe\0301 No\0308rd \+01F680 \+01F469\200D\+01F4BB \FFFF', 'cafe-nord', 'fr', 5, 'pro', NULL, NULL),
  (991, 'Big Number Observatory',      'big-number',        'en', 6, 'enterprise', 20, 9007199254740993),
  (992, 'Next Number Observatory',     'next-number',       'en', 5, 'pro', NULL, 9007199254740994)
) v (no, name, domain, tongue, people, plan, seats, big_id);

-- Enough seats where none are given: a fifth more than its people, in tens.
UPDATE demo.companies
SET seats = CASE plan WHEN 'essentials' THEN -1 ELSE 10 * ceil(people * 1.2 / 10)::integer END
WHERE plan IS NOT NULL AND seats IS NULL;

UPDATE demo.companies
SET created_at = date_trunc('hour', demo.t(
      make_interval(days => -(CASE WHEN no <= 50 THEN 400 + no * 97 % 2000 ELSE 1200 + no * 31 % 1200 END),
                    hours => -(no * 7 % 24))));

INSERT INTO saas.accounts (account_id, name, created_at, external_ref)
SELECT account_id, name, created_at, 'cus_' || substr(md5('account ' || account_id), 1, 14)
FROM demo.companies
ORDER BY account_id;
