"""pgcredits in a Supabase project: what `pgcredits supabase init` writes. See write.py for the story."""

from pgcredits.supabase.project import ProjectError
from pgcredits.supabase.write import Options, write_files

__all__ = ["Options", "ProjectError", "write_files"]
