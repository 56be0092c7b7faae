-- A shop in memory: rows, indexes, a text index, JSON, windows, deletions, VACUUM.
.bail on
CREATE TABLE item(id INTEGER PRIMARY KEY, code TEXT, data BLOB, price REAL);
CREATE INDEX item_code ON item(code);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)
  INSERT INTO item SELECT i, printf('code-%05d', (i * 6151) % 98317), zeroblob((i * 7) % 130), i * 0.75 FROM n;
CREATE VIRTUAL TABLE note USING fts5(body);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
  INSERT INTO note SELECT printf('red%d blue%d green%d usual %d', i % 83, i % 29, i % 11, i) FROM n;
SELECT count(*) FROM note WHERE note MATCH 'usual AND blue7';
SELECT total(length(data)) FROM item WHERE code > 'code-04';
SELECT length(json_group_array(json_object('code', code, 'price', price))) FROM item WHERE id % 9 = 0;
DELETE FROM item WHERE id % 4 = 0;
INSERT INTO item(code, data, price) SELECT code || '-b', randomblob(2 * length(data) + 1), price FROM item WHERE id % 5 = 1;
REINDEX;
SELECT code, rank() OVER (PARTITION BY substr(code, 1, 7) ORDER BY price) FROM item LIMIT 3 OFFSET 3000;
SELECT length(group_concat(code, ' ')) FROM (SELECT code FROM item ORDER BY price DESC);
VACUUM;
SELECT count(*) FROM item AS a JOIN item AS b ON b.code = a.code || '-b';
