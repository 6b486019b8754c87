-- It failed where there were users: its batches were committed within a block of several statements. The job auth.fill_names
-- fills the column.
SELECT 1;
