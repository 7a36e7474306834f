-- Demo data, part 20: the people and their licenses, made of name lists by arithmetic.
--
-- Person k of company `no` is user no * 10000 + k. 1 is the owner, 2 the co-owner and 3 does the
-- billing where the company is large enough. A `stranger` (k beyond the company's people) is somebody who
-- is only invited: an e-mail without a user.

SET LOCAL TIME ZONE 'UTC';

-- Twenty given and twenty family names of a tongue, each as name/spelling-in-an-e-mail; _ is a blank.
CREATE TABLE demo.name_lists (tongue text, part text, list text, PRIMARY KEY (tongue, part));
INSERT INTO demo.name_lists VALUES
  ('en', 'given',  'Alice/alice Grace/grace Oliver/oliver Harriet/harriet Noah/noah Zoë/zoe Amara/amara Liam/liam Chloë/chloe Ethan/ethan Maeve/maeve Isaac/isaac Ruth/ruth Callum/callum Siobhán/siobhan Desmond/desmond Priscilla/priscilla Wesley/wesley Joy/joy Tobias/tobias'),
  ('en', 'family', 'O''Brien/o''brien Whitfield/whitfield Okafor/okafor Marsh/marsh Turner/turner McAllister/mcallister Pryce-Jones/pryce-jones Hollis/hollis Barrow/barrow Nakamura/nakamura Ellery/ellery Fairbanks/fairbanks Adeyemi/adeyemi Stone/stone Lindqvist/lindqvist Beckett/beckett D''Souza/d''souza Rowe/rowe Kingsley/kingsley Vance/vance'),
  ('de', 'given',  'Jürgen/juergen Käthe/kaethe Anna/anna Lukas/lukas Jörg/joerg Sabine/sabine Björn/bjoern Heike/heike Matthias/matthias Änne/aenne Ulrich/ulrich Greta/greta Tilman/tilman Renate/renate Götz/goetz Lena/lena Fabian/fabian Ilse/ilse Konrad/konrad Birgit/birgit'),
  ('de', 'family', 'Müller/mueller Schäfer/schaefer Weiß/weiss Böhm/boehm Krüger/krueger Vogel/vogel Groß/gross Hartmann/hartmann Jäger/jaeger Köhler/koehler Lang/lang Strauß/strauss Möbius/moebius Zimmermann/zimmermann Brückner/brueckner Falk/falk Übel/uebel Nowotny/nowotny Pfeiffer/pfeiffer Thoß/thoss'),
  ('fr', 'given',  'Hélène/helene François/francois Aurélie/aurelie Benoît/benoit Chloé/chloe Étienne/etienne Gaëlle/gaelle Jérôme/jerome Léa/lea Loïc/loic Maëlys/maelys Noémie/noemie Océane/oceane Rémi/remi Thérèse/therese Yann/yann Zélie/zelie Anaïs/anais Cédric/cedric Inès/ines'),
  ('fr', 'family', 'Lefèvre/lefevre Bélanger/belanger Dupré/dupre Garçon/garcon Hénault/henault Lacroix/lacroix L''Écuyer/l''ecuyer Mégret/megret Noël/noel Périgord/perigord Rousseau/rousseau Saint-Just/saint-just Thévenet/thevenet Vasseur/vasseur Châtelain/chatelain Boulanger/boulanger Côté/cote Desprès/despres Fournier/fournier Guérin/guerin'),
  ('es', 'given',  'José/jose María/maria Íñigo/inigo Begoña/begona Andrés/andres Lucía/lucia Joaquín/joaquin Inés/ines Álvaro/alvaro Sofía/sofia Ramón/ramon Belén/belen Martín/martin Rocío/rocio Óscar/oscar Núria/nuria Tomás/tomas Ángela/angela Hernán/hernan Pilar/pilar'),
  ('es', 'family', 'Muñoz/munoz García/garcia Ibáñez/ibanez Peña/pena Gutiérrez/gutierrez Lópezortiz/lopezortiz Zúñiga/zuniga Fernández/fernandez Núñez/nunez Castaño/castano Ordóñez/ordonez Rodríguez/rodriguez Vélez/velez Quiñones/quinones Sánchez/sanchez Echeverría/echeverria Márquez/marquez Cárdenas/cardenas Beltrán/beltran Arroyo/arroyo'),
  ('pt', 'given',  'João/joao Conceição/conceicao Inês/ines Tomé/tome Luís/luis Sebastião/sebastiao Mônica/monica Antônio/antonio Débora/debora Estêvão/estevao Júlia/julia Vinícius/vinicius Letícia/leticia Gonçalo/goncalo Thaís/thais Otávio/otavio Flávia/flavia Simão/simao Íris/iris Rita/rita'),
  ('pt', 'family', 'Simões/simoes Araújo/araujo Gonçalves/goncalves Conceição/conceicao Brandão/brandao Assunção/assuncao Magalhães/magalhaes Fontão/fontao Ribeiro/ribeiro Teixeira/teixeira Vilaça/vilaca Sá/sa Antunes/antunes Falcão/falcao Guimarães/guimaraes Lourenço/lourenco Mourão/mourao Leitão/leitao Patrício/patricio Rocha/rocha'),
  ('it', 'given',  'Niccolò/niccolo Chiara/chiara Matteo/matteo Giada/giada Lorenzo/lorenzo Noemi/noemi Davide/davide Beatrice/beatrice Elia/elia Ginevra/ginevra Tommaso/tommaso Marta/marta Nicolò/nicolo Ilaria/ilaria Samuele/samuele Viola/viola Ettore/ettore Alida/alida Bruno/bruno Carla/carla'),
  ('it', 'family', 'D''Angelo/d''angelo Fioravanti/fioravanti Cantù/cantu Dessì/dessi Nicolò/nicolo Moro/moro Bianchi/bianchi Zanetti/zanetti Cabrò/cabro Lupo/lupo Serafini/serafini Tozzi/tozzi Greco/greco Pace/pace Roncalli/roncalli Vitale/vitale Mosè/mose Barbieri/barbieri Caputo/caputo Rizzo/rizzo'),
  ('nl', 'given',  'Daan/daan Fleur/fleur Joël/joel Sanne/sanne Thijs/thijs Noëlle/noelle Bram/bram Lotte/lotte Ruben/ruben Maaike/maaike Sjoerd/sjoerd Femke/femke Koen/koen Anouk/anouk Wouter/wouter Zoë/zoe Jeroen/jeroen Marleen/marleen Gijs/gijs Hanneke/hanneke'),
  ('nl', 'family', 'de_Vries/devries Bakker/bakker van_Dijk/vandijk Visser/visser Smit/smit Mulder/mulder de_Groot/degroot Bos/bos Vos/vos Peters/peters Hendriks/hendriks Dekker/dekker Brouwer/brouwer Kuipers/kuipers Veenstra/veenstra Kramer/kramer Postma/postma Hoekstra/hoekstra Prins/prins Zeeman/zeeman'),
  ('no', 'given',  'Åse/aase Bjørn/bjorn Søren/soren Ingrid/ingrid Håkon/hakon Liv/liv Jørgen/jorgen Sigrún/sigrun Þórdís/thordis Ólafur/olafur Mårten/marten Freja/freja Väinö/vaino Aino/aino Øyvind/oyvind Tuva/tuva Sölve/solve Ylva/ylva Kåre/kaare Märta/marta'),
  ('no', 'family', 'Ødegård/odegard Sørensen/sorensen Åberg/aaberg Lindström/lindstrom Hämäläinen/hamalainen Þórsson/thorsson Bjørnstad/bjornstad Højgaard/hojgaard Nygård/nygard Sæther/saether Mäkelä/makela Kjær/kjaer Öberg/oberg Dahl/dahl Strøm/strom Bergström/bergstrom Rød/rod Virtanen/virtanen Løken/loken Ås/aas'),
  ('pl', 'given',  'Łukasz/lukasz Małgorzata/malgorzata Paweł/pawel Agnieszka/agnieszka Wojciech/wojciech Żaneta/zaneta Stanisław/stanislaw Bożena/bozena Michał/michal Grażyna/grazyna Sławomir/slawomir Zofia/zofia Krzysztof/krzysztof Jagoda/jagoda Jiří/jiri Šárka/sarka Ondřej/ondrej Božena/bozhena Žofie/zofie Radosław/radoslaw'),
  ('pl', 'family', 'Wójcik/wojcik Dąbrowa/dabrowa Pająk/pajak Mazur/mazur Nowak/nowak Zając/zajac Gąsior/gasior Kołodziej/kolodziej Wróbel/wrobel Sęk/sek Źrebiec/zrebiec Krawczyk/krawczyk Łoś/los Świderek/swiderek Dvořák/dvorak Němec/nemec Růžička/ruzicka Čermák/cermak Gołąb/golab Żak/zak'),
  ('tr', 'given',  'Işıl/isil İbrahim/ibrahim Ayşe/ayse Çağla/cagla Gökhan/gokhan Şule/sule Uğur/ugur Özge/ozge Barış/baris Nilüfer/nilufer Yiğit/yigit Defne/defne Emre/emre Gülşen/gulsen Ilgaz/ilgaz Tuğba/tugba Ömer/omer Zeynep/zeynep Koray/koray Beyza/beyza'),
  ('tr', 'family', 'Yılmaz/yilmaz Şahin/sahin Öztürk/ozturk Işık/isik Çelik/celik Doğan/dogan Aydın/aydin Güneş/gunes İnan/inan Koç/koc Kılıç/kilic Tunç/tunc Ünal/unal Yıldız/yildiz Özdemir/ozdemir Bulut/bulut Ergün/ergun Sağlam/saglam Taş/tas Ağaoğlu/agaoglu'),
  ('vi', 'given',  'Ánh/anh Bảo/bao Đức/duc Hương/huong Khánh/khanh Linh/linh Minh/minh Ngọc/ngoc Phúc/phuc Quỳnh/quynh Sơn/son Thảo/thao Tuấn/tuan Uyên/uyen Việt/viet Xuân/xuan Yến/yen Dũng/dung Giang/giang Hạnh/hanh'),
  ('vi', 'family', 'Nguyễn/nguyen Trần/tran Lê/le Phạm/pham Huỳnh/huynh Võ/vo Đặng/dang Bùi/bui Đỗ/do Hồ/ho Ngô/ngo Dương/duong Lý/ly Đinh/dinh Trịnh/trinh Mạc/mac Tạ/ta Lưu/luu Vương/vuong Cao/cao'),
  ('el', 'given',  'Γιώργος/giorgos Μαρία/maria Νίκος/nikos Ελένη/eleni Δημήτρης/dimitris Κατερίνα/katerina Κώστας/kostas Ιωάννα/ioanna Θανάσης/thanasis Σοφία/sofia Παύλος/pavlos Αγγελική/angeliki Σπύρος/spyros Χριστίνα/christina Ανδρέας/andreas Ζωή/zoi Ηλίας/ilias Δέσποινα/despina Στέφανος/stefanos Ευαγγελία/evangelia'),
  ('el', 'family', 'Παπαδάκη/papadaki Ξυλούρη/xylouri Γεωργίου/georgiou Νικολάου/nikolaou Οικονόμου/oikonomou Αλεξίου/alexiou Βασιλείου/vasileiou Δημητρίου/dimitriou Ιωάννου/ioannou Κωνσταντίνου/konstantinou Μακρή/makri Πέτρου/petrou Ραφτοπούλου/raftopoulou Σταύρου/stavrou Τσιρίγου/tsirigou Φωτίου/fotiou Χατζή/chatzi Ψάλτη/psalti Αγγέλου/angelou Θωμά/thoma'),
  ('uk', 'given',  'Олександр/oleksandr Ганна/hanna Сергій/serhii Оксана/oksana Юрій/yurii Євгенія/yevheniia Тарас/taras Лариса/larysa Богдан/bohdan Наталія/nataliia Ігор/ihor Соломія/solomiia Андрій/andrii Людмила/liudmyla Яків/yakiv Марко/marko Дарина/daryna Остап/ostap Злата/zlata Левко/levko'),
  ('uk', 'family', 'Шевченко/shevchenko Коваленко/kovalenko Бондаренко/bondarenko Ткач/tkach Мельник/melnyk Гончар/honchar Лисенко/lysenko Щербак/shcherbak Кравець/kravets Ґудзь/gudz Петренко/petrenko Сорока/soroka Журба/zhurba Чорновіл/chornovil Яценко/yatsenko Приходько/prykhodko Олійник/oliinyk Руденко/rudenko Юрченко/yurchenko Зінченко/zinchenko'),
  ('ru', 'given',  'Алёна/alena Дмитрий/dmitry Ольга/olga Пётр/petr Ксения/ksenia Андрей/andrey Юлия/yulia Фёдор/fedor Вера/vera Григорий/grigory Марина/marina Илья/ilya Эльвира/elvira Цветана/tsvetana Борис/boris Жанна/zhanna Николай/nikolay Тамара/tamara Роман/roman Лидия/lidia'),
  ('ru', 'family', 'Черных/chernykh Долгих/dolgikh Седых/sedykh Белых/belykh Савчук/savchuk Гринберг/grinberg Живаго/zhivago Дурново/durnovo Ремизюк/remizyuk Шульц/shults Косых/kosykh Рыжих/ryzhikh Ян/yan Цой/tsoy Благово/blagovo Тёплых/teplykh Мельниченко/melnichenko Эккерт/ekkert Щукарь/shchukar Юсупджан/yusupdzhan'),
  ('ar', 'given',  'محمد/mohammed فاطمة/fatima أحمد/ahmad ليلى/layla يوسف/yusuf نور/nour خالد/khalid مريم/maryam عمر/omar سارة/sara حسن/hassan هدى/huda طارق/tariq رنا/rana زياد/ziad آمنة/amina سليم/salim دانة/dana فيصل/faisal ياسمين/yasmin'),
  ('ar', 'family', 'الحسن/alhassan الخطيب/alkhatib النجار/alnajjar حداد/haddad منصور/mansour السيد/alsayed قاسم/qasim الشامي/alshami عبدالله/abdullah الفارسي/alfarsi العمري/alomari صالح/saleh بركات/barakat الزين/alzein ناصر/nasser الهاشمي/alhashimi درويش/darwish الكعبي/alkaabi مراد/murad رزق/rizq'),
  ('he', 'given',  'דוד/david נועה/noa יוסף/yosef תמר/tamar אברהם/avraham שירה/shira משה/moshe יעל/yael איתי/itai מיכל/michal אורי/uri רחל/rachel גיל/gil הדס/hadas עומר/omer ליאור/lior רות/ruth אלון/alon ענת/anat זאב/zeev'),
  ('he', 'family', 'כהן/cohen לוי/levi מזרחי/mizrahi פרץ/peretz ביטון/biton אברהמי/avrahami פרידמן/friedman שפירא/shapira ברק/barak גולן/golan דיין/dayan הררי/harari זוהר/zohar חדד/hadad טל/tal ירון/yaron צור/tzur קדוש/kadosh רוזן/rosen שגב/segev'),
  ('hi', 'given',  'अर्जुन/arjun प्रिया/priya राहुल/rahul स्नेहा/sneha विक्रम/vikram अनन्या/ananya संजय/sanjay दीपिका/deepika ऋषि/rishi कृत्तिका/kritika नीरज/neeraj शालिनी/shalini मोहन/mohan ज्योति/jyoti आदित्य/aditya मीरा/meera सुरेश/suresh उषा/usha गौरव/gaurav रेणु/renu'),
  ('hi', 'family', 'शर्मा/sharma पाटिल/patil सिंह/singh कुलकर्णी/kulkarni गुप्ता/gupta जोशी/joshi मिश्रा/mishra चौधरी/chaudhary देशपांडे/deshpande वर्मा/verma त्रिपाठी/tripathi नायर/nair अय्यर/iyer भट्ट/bhatt मेहता/mehta यादव/yadav शिंदे/shinde घोष/ghosh कपूर/kapoor राव/rao'),
  ('th', 'given',  'สมชาย/somchai มาลี/malee นรินทร์/narin พิมพ์/pim ธนา/thana สุดา/suda กิตติ/kitti วรรณา/wanna ปรีชา/preecha ดวงใจ/duangjai อนันต์/anan จันทร์/chan วิชัย/wichai รัตนา/rattana ศักดิ์/sak กาญจนา/kanchana ชัย/chai น้ำฝน/namfon ภูมิ/phum อรุณ/arun'),
  ('th', 'family', 'ใจดี/jaidee ศรีสุข/srisuk ทองคำ/thongkham บุญมี/bunmee แสงทอง/saengthong รักไทย/rakthai วงศ์ใหญ่/wongyai พูนทรัพย์/phunsap จันทรา/chantra สุขใจ/sukjai มั่นคง/mankhong ชัยมงคล/chaimongkol เพชรรัตน์/phetrat อินทร์แก้ว/inkaew ดีงาม/deengam ศรีวิชัย/sriwichai ปัญญา/panya รุ่งเรือง/rungrueang ทิพย์/thip คงสุข/khongsuk'),
  ('zh', 'given',  '伟/wei 芳/fang 娜/na 秀英/xiuying 敏/min 静/jing 强/qiang 磊/lei 洋/yang 艳/yan 勇/yong 军/jun 杰/jie 娟/juan 涛/tao 明/ming 超/chao 雪梅/xuemei 子轩/zixuan 雨桐/yutong'),
  ('zh', 'family', '王/wang 李/li 张/zhang 刘/liu 陈/chen 杨/yang 黄/huang 赵/zhao 吴/wu 周/zhou 徐/xu 孙/sun 马/ma 朱/zhu 胡/hu 郭/guo 欧阳/ouyang 林/lin 司马/sima 诸葛/zhuge'),
  ('ja', 'given',  '健/ken 花子/hanako 太郎/taro 美咲/misaki 翔太/shota さくら/sakura 大輔/daisuke 陽菜/hina 拓海/takumi 結衣/yui 直樹/naoki あゆみ/ayumi 和也/kazuya 千尋/chihiro 亮/ryo 舞/mai 誠/makoto エミリ/emiri 学/manabu 静香/shizuka'),
  ('ja', 'family', '佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 伊藤/ito 渡辺/watanabe 山本/yamamoto 中村/nakamura 小林/kobayashi 加藤/kato 吉田/yoshida 山田/yamada 佐々木/sasaki 山口/yamaguchi 松本/matsumoto 井上/inoue 木村/kimura 林/hayashi 齋藤/saito 髙木/takagi'),
  ('ko', 'given',  '민준/minjun 서연/seoyeon 도윤/doyun 지우/jiwoo 예준/yejun 하은/haeun 시우/siwoo 수아/sua 주원/juwon 지민/jimin 건우/geonwoo 윤서/yunseo 우진/woojin 채원/chaewon 현우/hyunwoo 다은/daeun 준서/junseo 은지/eunji 성민/seongmin 혜진/hyejin'),
  ('ko', 'family', '김/kim 이/lee 박/park 최/choi 정/jung 강/kang 조/cho 윤/yoon 장/jang 임/lim 한/han 오/oh 서/seo 신/shin 권/kwon 황/hwang 안/ahn 송/song 류/ryu 남궁/namgung');

CREATE TABLE demo.names AS
SELECT tongue, part, (at - 1)::integer AS at, replace(split_part(entry, '/', 1), '_', ' ') AS name, split_part(entry, '/', 2) AS ascii
FROM demo.name_lists, regexp_split_to_table(list, ' ') WITH ORDINALITY AS e (entry, at);
ALTER TABLE demo.names ADD PRIMARY KEY (tongue, part, at);
ANALYZE demo.names;
ANALYZE demo.companies;

-- Everybody a company knows: its people, and as many strangers as it has invitations to send. Names
-- walk through the 400 combinations of a tongue in steps of 147 before one comes again.
CREATE TABLE demo.people AS
WITH numbered AS (
  SELECT c.no, c.account_id, k, no * 10000::bigint + k AS user_id, c.people, c.domain, c.plan, c.created_at,
         tongues[1 + k % cardinality(tongues)] AS tongue,
         (k / cardinality(tongues) * 147 + no * 13) % 400 AS combination
  FROM demo.companies c, generate_series(1, c.people + c.people / 6 + 8) AS k
), named AS (
  SELECT n.*, g.name AS given, f.name AS family, g.ascii AS given_ascii, f.ascii AS family_ascii,
         row_number() OVER (PARTITION BY n.no, g.ascii, f.ascii ORDER BY k) AS namesake
  FROM numbered n
  JOIN demo.names g ON g.tongue = n.tongue AND g.part = 'given' AND g.at = n.combination % 20
  JOIN demo.names f ON f.tongue = n.tongue AND f.part = 'family' AND f.at = n.combination / 20
), addressed AS (
  SELECT *,
         CASE no % 3 WHEN 0 THEN given_ascii || '.' || family_ascii
                     WHEN 1 THEN family_ascii || '.' || given_ascii
                     ELSE given_ascii || '_' || family_ascii END
           || CASE WHEN namesake > 1 THEN namesake::text ELSE '' END AS local_part
  FROM named
)
SELECT no, account_id, k, user_id, domain,
       CASE WHEN tongue IN ('zh', 'ja', 'ko') AND given <> 'エミリ' THEN family || CASE tongue WHEN 'ja' THEN ' ' ELSE '' END || given
            WHEN tongue = 'vi' THEN family || ' ' || given
            ELSE given || ' ' || family END AS name,
       -- A few write their address with capitals or with a tag; strangers may have a private one.
       CASE WHEN k > people AND k % 9 = 0 THEN local_part || no || '@freemail.example'
            WHEN k % 53 = 7 THEN initcap(local_part) || '@' || initcap(domain)
            WHEN k % 97 = 11 THEN local_part || '+api@' || domain
            ELSE local_part || '@' || domain END AS email,
       date_trunc('second', created_at + (demo.t('-1 day') - created_at)
         * (CASE WHEN k <= 3 THEN k / 1000.0 ELSE 0.01 + 0.99 * demo.pick('joined', user_id, 10000) / 10000 END)) AS joined_at,
       -- Among ordinary customers some have left, and some of an Enterprise's staff were never members.
       CASE WHEN k > people THEN 'stranger'
            WHEN k <= 3 OR no >= 200 THEN 'licensed'
            WHEN k % 17 = 5 THEN 'left'
            WHEN k % 61 = 8 AND plan = 'enterprise' THEN 'unmanaged'
            ELSE 'licensed' END AS standing
FROM addressed;
ALTER TABLE demo.people ADD PRIMARY KEY (no, k);
ANALYZE demo.people;

-- Some deleted their user: half of those still hold a license, which counts and is listed.
INSERT INTO saas.users (user_id, email, name, signed_up_at, deleted_at)
SELECT user_id, email, name, joined_at,
       CASE WHEN no <= 50 AND k % 211 = 100
            THEN joined_at + (demo.t('-1 day') - joined_at) * 0.8 END
FROM demo.people
WHERE standing <> 'stranger'
ORDER BY user_id;

-- When somebody got a license of the home account and when that ended.
CREATE TABLE demo.seats AS
SELECT p.no, p.account_id, p.k, p.user_id,
       CASE WHEN k = 1 THEN 'owner'
            WHEN c.scim IS NOT NULL AND k % 2 = 0 THEN 'scim'
            WHEN c.scim IS NOT NULL AND k % 7 = 1 THEN 'capture'
            WHEN k % 5 = 4 THEN 'manual'
            ELSE 'invitation' END AS source,
       p.joined_at + CASE WHEN k = 1 THEN interval '0' ELSE interval '2 hours' END AS granted_at,
       CASE WHEN standing = 'left' OR u.deleted_at IS NOT NULL AND k % 2 = 0
            THEN date_trunc('second', p.joined_at + interval '3 hours'
                 + (demo.t('-1 day') - p.joined_at - interval '3 hours') * demo.pick('left', p.user_id, 100) / 100) END AS revoked_at
FROM demo.people p
JOIN demo.companies c USING (no)
JOIN saas.users u ON u.user_id = p.user_id
WHERE standing IN ('licensed', 'left');
ALTER TABLE demo.seats ADD PRIMARY KEY (no, k);

INSERT INTO saas.account_members (account_id, user_id, role, joined_at, left_at)
SELECT s.account_id, s.user_id,
       CASE WHEN k = 1 THEN 'owner'
            WHEN k = 2 AND c.people >= 4 AND (no <= 50 OR no % 8 <> 5) THEN 'co_owner'
            WHEN k = 3 AND c.people >= 6 THEN 'billing'
            ELSE 'member' END,
       granted_at, revoked_at
FROM demo.seats s
JOIN demo.companies c USING (no)
ORDER BY s.user_id;

-- License ids run through the whole table and are no user's id.
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at, revoked_at, revoke_reason)
SELECT account_id, 5000000 + row_number() OVER (ORDER BY user_id, granted_at),
       user_id, source, granted_at, revoked_at, revoke_reason
FROM (
  SELECT account_id, user_id, source, granted_at, revoked_at,
         CASE WHEN revoked_at IS NOT NULL THEN CASE WHEN k % 2 = 0 THEN 'left_company' ELSE 'removed_by_admin' END END AS revoke_reason
  FROM demo.seats
  UNION ALL  -- people who had left before and came back: an older license, revoked
  SELECT account_id, user_id, 'manual', granted_at - interval '90 minutes', granted_at - interval '30 minutes', 'left_company'
  FROM demo.seats
  WHERE no <= 50 AND k % 89 = 30
) l
ORDER BY user_id, granted_at;

-- The guild's freelancers (account 30) work for the twenty largest customers too and hold a seat there.
CREATE TABLE demo.guests AS
SELECT c.no, c.account_id, p.user_id, p.k, demo.t(make_interval(days => -(20 + c.no * 7 + p.k * 5))) AS granted_at
FROM demo.people p, demo.companies c
WHERE p.no = 30 AND p.standing = 'licensed' AND c.no <= 20 AND (p.k + c.no) % 3 = 0;

INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
SELECT account_id, user_id, 'member', granted_at FROM demo.guests;

INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT account_id, 5900000 + row_number() OVER (ORDER BY account_id, user_id), user_id, 'invitation', granted_at
FROM demo.guests
ORDER BY account_id, user_id;
