"""What staff write: the Pydantic models, the YAML loader that keeps line and column, Markdown and merge fields."""

from newsletter.issue.load import FieldUse, Issue, load_issue, load_public, load_publication, load_retention, load_timetable
from newsletter.issue.markdown import Markdown
from newsletter.issue.model import IssueFile, Logo, Publication, Timetable
from newsletter.issue.parts import Picture
from newsletter.issue.retention import Retention
from newsletter.issue.sample import new_issue, new_pictures
from newsletter.issue.schema import json_schema, publication_schema
from newsletter.issue.text import Line, MergeField

__all__ = [
    "FieldUse",
    "Issue",
    "IssueFile",
    "Line",
    "Logo",
    "Markdown",
    "MergeField",
    "Picture",
    "Publication",
    "Retention",
    "Timetable",
    "json_schema",
    "load_issue",
    "load_public",
    "load_publication",
    "load_retention",
    "load_timetable",
    "new_issue",
    "new_pictures",
    "publication_schema",
]
