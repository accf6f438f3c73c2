select cast(day as date) as day
from generate_series(date '2000-01-01', date '2100-12-31', interval 1 day) as series(day)
