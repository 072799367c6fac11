-- Where a page of files goes on. Expired files still mark their place, so a page does not fail between two requests.
SELECT ordinal FROM files WHERE id = @id;
