-- A table of 20,000 orders, an index, and look-ups in no order.
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, amount INTEGER);
INSERT INTO orders
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  SELECT i, i * 7919 % 5003, i * 104729 % 10007 FROM n;
CREATE INDEX by_customer ON orders (customer);
SELECT count(*), sum(amount) FROM orders WHERE customer % 97 = 5;
SELECT sum(a.amount) FROM orders a JOIN orders b ON b.id = a.amount + 1 WHERE a.id % 7 = 0;
