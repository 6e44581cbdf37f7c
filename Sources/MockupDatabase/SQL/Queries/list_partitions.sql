-- Returns the connection strings of the partitions of a proxy database, in order; none in another
-- database.
SELECT url FROM mockupd.partitions() ORDER BY number
