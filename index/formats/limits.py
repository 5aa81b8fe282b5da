"""How much is read at most, so that no file can take the machine down."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one file may cost. Sizes in bytes, after unpacking."""

    # The longest articles are books of about 5 MB; a third of the memory an ingest may use
    # (1.5 GiB) holds a record ten times over, as bytes, text and parsed values.
    max_record_bytes: int = 32 * MIB
    # A feed, or a JSON object with its articles in it, is held whole while it is taken apart.
    max_document_bytes: int = 128 * MIB
    # Everything else is streamed; this ends a pipe that never does.
    max_file_bytes: int = 65_536 * MIB
    # A zip inside an archive or on stdin is copied to a temporary file, as zip needs seeking.
    max_spooled_bytes: int = 4_096 * MIB
    # Archives in archives. Of a file that contains itself (r.zip) this is where reading stops.
    max_depth: int = 3
    # A zip's directory is held in memory: about 1 KB for each member.
    max_members: int = 250_000
    # Text packs 3 to 10 times, a table of near-equal rows up to 100 times, a bomb 1,000 and more.
    max_expansion: int = 200
    # What may be unpacked before the ratio counts: quick to read, and real if repetitive.
    free_expansion_bytes: int = 256 * MIB


DEFAULT_LIMITS = Limits()
