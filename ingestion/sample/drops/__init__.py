"""What partners drop: their own headers, codes, dates and faults, a module a partner.

What belongs here: the files. What does not: the mappings that read them (`community/`).
"""

from ingestion.sample.drops.after_school import write_after_school
from ingestion.sample.drops.clearinghouse import write_clearinghouse
from ingestion.sample.drops.community import write_directory, write_places
from ingestion.sample.drops.early_childhood import write_early_childhood
from ingestion.sample.drops.eastvale import write_eastvale
from ingestion.sample.drops.riverbend import write_riverbend
from ingestion.sample.drops.state import write_state
from ingestion.sample.drops.summit import write_summit
from ingestion.sample.drops.writer import Writer

# In this order, as each draws from the same stream of random numbers.
WRITERS = (
    write_riverbend,
    write_eastvale,
    write_summit,
    write_state,
    write_early_childhood,
    write_clearinghouse,
    write_after_school,
)
# Files that do not grow with the people.
WRITERS_OF_THE_WHOLE = (write_directory, write_places)

__all__ = ["WRITERS", "WRITERS_OF_THE_WHOLE", "Writer"]
