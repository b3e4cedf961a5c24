"""The Jinja environments that a layout's templates run in: sandboxed, strict, read from disk once and again when they change.

They are kept between compiles; what belongs to one compile (sentinels, language, footnotes) travels as ``compiling``.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from newsletter.compose.foreign import marked, spoken_in
from newsletter.compose.markup import markdown_html
from newsletter.compose.plain import PlainText
from newsletter.compose.sentinel import Sentinels, escape
from newsletter.compose.vocabulary import unknown_words
from newsletter.issue import Line, Markdown
from newsletter.issue.text import MergeField, Passage
from newsletter.language import Language
from newsletter.problem import InputError, Problem
from newsletter.settings import program_folder

#: The folder beside the layouts with the files that they share; no layout itself.
BASE = "base"
#: What a template can raise by what stands in it: Jinja's own errors, and Python's for 1 // 0, a wrong type, a bad encoding …
_FAILURES = (TemplateError, TypeError, AttributeError, ValueError, LookupError, ArithmeticError, RecursionError)


class LayoutError(InputError):
    """A layout's template fails. Names the template's file and line."""


@dataclass(frozen=True, slots=True)
class Compiling:
    """What one compile of an issue shares among its templates."""

    sentinels: Sentinels
    words: Language
    writer: PlainText

    def plain(self, text: Any) -> Any:
        """A line with its sentinels, as it is; what is no line stays what it is. Raises TemplateError for a Markdown text."""
        if isinstance(text, Markdown):
            raise TemplateError("a Markdown text needs the filter: {{ block.body | markdown }}")
        return self.sentinels.line(text) if isinstance(text, Line) else text

    def markup(self, text: Any) -> Any:
        """A line with its sentinels, escaped for HTML; a string is left to Jinja's autoescape. Raises TemplateError as above."""
        if not isinstance(text, Line):
            return self.plain(text)
        pieces = (
            marked(part.language, self._escaped(part.parts)) if isinstance(part, Passage) else self._escaped((part,))
            for part in text.parts
        )
        return Markup("".join(pieces))  # noqa: S704 - escaped right here

    def _escaped(self, parts: tuple[str | MergeField, ...]) -> str:
        return "".join(escape(part) if isinstance(part, str) else self.sentinels.field(part) for part in parts)


def template_folders(folder: Path) -> list[Path]:
    """Where a layout's templates are sought: its own folder, the ``base`` beside it, the program's base. The first file wins."""
    return list(dict.fromkeys([folder, folder.parent / BASE, program_folder("layouts") / BASE]))


def template_file(folder: Path, name: str) -> Path:
    """The file that a layout takes a template from."""
    files = [place / name for place in template_folders(folder)]
    return next((file for file in files if file.is_file()), files[0])


def run(folder: Path, name: str, context: dict[str, Any], compiling: Compiling) -> str:
    """Render a template of a layout. Raises :class:`LayoutError`."""
    environment = html_environment(folder) if name.endswith(".mjml.j2") else text_environment(folder)
    try:
        return environment.get_template(name).render(context | {"compiling": compiling})
    except TemplateSyntaxError as error:
        file = error.filename or str(folder / name)
        raise LayoutError(Problem(file, error.lineno, 1, "", f"is not a Jinja template: {error.message}")) from None
    except _FAILURES as error:
        file, line = _template_line(error, folder / name)
        reason = f"there is no template {error.name}" if isinstance(error, TemplateNotFound) else f"fails: {error}"
        raise LayoutError(Problem(file, line, 1, "", reason)) from None


@lru_cache(maxsize=8)
def html_environment(folder: Path) -> ImmutableSandboxedEnvironment:
    """For ``.mjml.j2``: everything is escaped but what a filter made; lines show with their sentinels."""

    @pass_context
    def finalize(context: Context, value: Any) -> Any:
        return _compiling(context).markup(value) if isinstance(value, Line | Markdown) else value

    def saying(compiling: Compiling, words: Language) -> Callable[..., Markup]:
        def say(message: str, **values: str | Line) -> Markup:
            shown = {name: compiling.markup(value) for name, value in values.items()}
            if words.speaks(message):
                return Markup(escape(words.word(message))).format(**shown)  # noqa: S704 - format() escapes the values
            shown = {name: Markup(marked(words.tag, escape(value))) for name, value in shown.items()}  # noqa: S704
            return Markup(marked("en", escape(message))).format(**shown)  # noqa: S704 - English where there is no other word (A2)

        return say

    @pass_context
    def say(context: Context, message: str, **values: str | Line) -> Markup:
        compiling = _compiling(context)
        return saying(compiling, compiling.words)(message, **values)

    @pass_context
    def say_in(context: Context, words: Language) -> Callable[..., Markup]:
        return saying(_compiling(context), words)

    @pass_context
    def spoken(context: Context, mjml: str, words: Language) -> Markup:
        own = words.tag == _compiling(context).words.tag
        return Markup(mjml if own else spoken_in(words, mjml))  # noqa: S704 - the templates' own output

    @pass_context
    def markdown(context: Context, text: Markdown, heading: int = 3) -> Markup:
        return Markup(markdown_html(text, _compiling(context).sentinels.field, heading))  # noqa: S704 - escaped by markdown_html

    environment = _environment(folder, escaped=True, finalize=finalize)
    environment.globals |= {"say": say, "say_in": say_in}
    environment.filters["spoken_in"] = spoken
    environment.filters["markdown"] = markdown
    environment.filters["trusted"] = Markup  # the author's own MJML, checked when the issue was loaded
    return environment


@lru_cache(maxsize=8)
def text_environment(folder: Path) -> ImmutableSandboxedEnvironment:
    """For ``text.j2``: nothing is escaped; filters wrap, underline and collect footnotes."""

    @pass_context
    def finalize(context: Context, value: Any) -> Any:
        return _compiling(context).plain(value) if isinstance(value, Line | Markdown) else value

    @pass_context
    def say(context: Context, message: str, **values: str | Line) -> str:
        compiling = _compiling(context)
        return saying(compiling, compiling.words)(message, **values)

    def saying(compiling: Compiling, spoken: Language) -> Callable[..., str]:
        def say(message: str, **values: str | Line) -> str:
            return spoken.say(message, **{name: str(compiling.plain(value)) for name, value in values.items()})

        return say

    @pass_context
    def say_in(context: Context, spoken: Language) -> Callable[..., str]:
        return saying(_compiling(context), spoken)

    @pass_context
    def words(context: Context, text: str | Line) -> str:
        return str(_compiling(context).plain(text))

    @pass_context
    def notes(context: Context) -> tuple[str, ...]:
        return _compiling(context).writer.notes

    @pass_context
    def note(context: Context, url: str) -> str:
        return _compiling(context).writer.note(url)

    @pass_context
    def wrap(context: Context, text: str | Line, first: str = "", rest: str = "") -> str:
        compiling = _compiling(context)
        return compiling.writer.wrap(str(compiling.plain(text)), first, rest)

    @pass_context
    def underline(context: Context, text: str | Line, stroke: str = "-") -> str:
        compiling = _compiling(context)
        return compiling.writer.underline(str(compiling.plain(text)), stroke)

    @pass_context
    def markdown(context: Context, text: Markdown, prefix: str = "") -> str:
        return _compiling(context).writer.markdown(text, prefix)

    environment = _environment(folder, escaped=False, finalize=finalize)
    environment.globals |= {"say": say, "say_in": say_in, "words": words, "note": note, "notes": notes}
    environment.filters |= {"wrap": wrap, "underline": underline, "markdown": markdown}
    return environment


def _compiling(context: Context) -> Compiling:
    compiling = context.get("compiling")
    if not isinstance(compiling, Compiling):
        raise TemplateError("import macros 'with context'")
    return compiling


class _Folders(FileSystemLoader):
    """Jinja's loader for several folders. It also sees that a file has come into an earlier one, and checks the words of MJML."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The text of a template, its file, and whether both are still what would be found. Raises :class:`LayoutError`."""
        text, file, unchanged = super().get_source(environment, template)
        if template.endswith(".mjml.j2") and (problems := list(unknown_words(text, Path(file)))):
            raise LayoutError(problems)
        places = [str(Path(folder) / template) for folder in self.searchpath]
        earlier = list(takewhile(lambda place: place != file, places))
        return text, file, lambda: unchanged() and not any(map(os.path.isfile, earlier))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox. What it says of an attribute depends on type and name alone, so it is asked once each, not 700 times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._verdicts: dict[tuple[type, str], bool] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read ``attr`` of ``obj``."""
        key = (type(obj), attr)
        if key not in self._verdicts:
            self._verdicts[key] = super().is_safe_attribute(obj, attr, value)
        return self._verdicts[key]


def _environment(folder: Path, *, escaped: bool, finalize: Callable[..., Any]) -> ImmutableSandboxedEnvironment:
    return _Sandbox(
        loader=_Folders(template_folders(folder)),
        autoescape=escaped,  # not select_autoescape, which stays off for .mjml.j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )


def _template_line(error: BaseException, default: Path) -> tuple[str, int]:
    """The innermost frame of the traceback that is a template: Jinja puts its files and lines there."""
    found = (str(default), 1)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found
