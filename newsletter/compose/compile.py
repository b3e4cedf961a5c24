"""An issue and its layout become an edition: Jinja -> MJML -> CSS inlining -> slots, and the text part beside it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from newsletter.compose.attachments import attach, check_size
from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Headers, Part, PictureFile, Variant, cid_url
from newsletter.compose.inline import inline_css
from newsletter.compose.layout import render
from newsletter.compose.mjml import MjmlError, compile_mjml
from newsletter.compose.picture_cache import PictureCache, cache_in
from newsletter.compose.pictures import PictureError, Shown
from newsletter.compose.sentinel import Sentinels, SlotError
from newsletter.compose.templates import LayoutError, template_file
from newsletter.issue import Issue, Logo, Picture
from newsletter.issue.model import PicturesElsewhere, Publication
from newsletter.issue.pictures import UnfitPicture, check_picture, find_picture
from newsletter.issue.variant import Choice
from newsletter.problem import InputError, Problem, complaint
from newsletter.settings import Workspace


def compile_issue(
    issue: Issue, workspace: Workspace, picture_url: Callable[[str], str], variants: Iterable[str | None] = ()
) -> Edition:
    """Compile ``issue`` with the layout that it names.

    ``picture_url`` gives the address of a picture by its name, where the publication does not keep its pictures elsewhere
    (:func:`picture_address`). ``variants`` names those that somebody gets (:class:`~newsletter.issue.variant.Choice`); an issue
    without ``only:`` has none, and one with them has its open variant in any case. Each is compiled once. The same input gives
    the same edition, byte for byte. Nothing is fetched from the network; prepared pictures are kept in the workspace's cache
    (:mod:`newsletter.compose.picture_cache`).
    Raises :class:`InputError` for a picture, an attachment or a layout that cannot be used.
    """
    layout = workspace.layout_folder(issue.layout)
    if layout is None:
        raise complaint(f"there is no layout {issue.layout!r}; there are: {', '.join(workspace.layout_names())}")
    gallery = Gallery(issue, layout, picture_address(issue.publication, picture_url), cache_in(workspace.picture_cache))
    open_name = Choice(issue.conditions, issue.language)({})
    if open_name is None:
        return _compile(issue, layout, gallery)
    edition = _compile(issue.variant(open_name), layout, gallery)
    others = [
        (name, _compile(issue.variant(name), layout, gallery))
        for name in sorted({name for name in variants if name not in (open_name, None)})
    ]
    made = tuple(Variant(name, other.text, other.html, other.attachments) for name, other in others)
    return replace(edition, pictures=gallery.files, conditions=issue.conditions, variants=made)


def _compile(issue: Issue, layout: Path, gallery: "Gallery") -> Edition:
    """What everyone gets of the blocks of an issue, whatever their conditions; with all the pictures of the gallery so far."""
    sentinels = Sentinels()
    rendered = render(issue, layout, sentinels, gallery.show)
    try:
        document, css = compile_mjml(rendered.mjml)
        html = sentinels.split_html(inline_css(document, css))
    except (MjmlError, SlotError) as error:
        raise LayoutError(Problem(str(layout / "layout.mjml.j2"), 0, 0, "", str(error))) from None
    text = sentinels.split_plain(rendered.text)
    _demand_links(html, template_file(layout, "layout.mjml.j2"))
    _demand_links(text, template_file(layout, "text.j2"))
    edition = Edition(
        title=issue.content.title,
        headers=_headers(issue),
        subject=sentinels.split_plain(rendered.subject),
        text=text,
        html=html,
        pictures=gallery.files,
        inline=issue.publication.pictures == "inline",
        attachments=attach(issue),
        sources=gallery.sources,
    )
    check_size(issue, edition)
    return edition


def picture_address(publication: Publication, hosted: Callable[[str], str]) -> Callable[[str], str]:
    """What gives the address of a picture by its name: inside the message, on the publication's own server, or ``hosted``."""
    match publication.pictures:
        case "inline":
            return partial(cid_url, list_id=publication.own_list_id)
        case PicturesElsewhere(base_url=base):
            return f"{base}/{{}}".format
        case _:
            return hosted


class Gallery:
    """The pictures that a layout asked for, each file once."""

    def __init__(self, issue: Issue, layout: Path, picture_url: Callable[[str], str], cache: PictureCache) -> None:
        self._issue = issue
        self._layout = layout
        self._url = picture_url
        self._cache = cache
        self._files: dict[str, PictureFile] = {}
        self.sources: dict[str, str] = {}

    @property
    def files(self) -> tuple[PictureFile, ...]:
        return tuple(self._files.values())

    def show(self, picture: Picture | Logo, width: int, *grounds: str, play: bool = False) -> Shown:
        """The picture for a place ``width`` CSS pixels wide; a smaller one is shown smaller, never blown up.

        ``grounds`` are two colours, where a picture with transparency is to be laid on one; ``play`` draws a play mark into it
        (:func:`~newsletter.compose.pictures.make_picture`).
        """
        named_in, path = self._logo_file(picture) if isinstance(picture, Logo) else (self._issue.file, None)
        try:
            file = self._cache.make(path or self._issue.picture_path(picture.src), width, *grounds, play=play)
        except (PictureError, OSError) as error:
            raise InputError(Problem(str(named_in), 0, 0, "", f"picture {picture.src}: {error}")) from None
        self._files[file.name] = file
        self.sources[file.name] = picture.src
        shown = min(width, file.width)
        return Shown(file, self._url(file.name), shown, max(1, round(file.height * shown / file.width)))

    def _logo_file(self, logo: Logo) -> tuple[Path, Path]:
        """The YAML file that names the logo, and the logo's own, which lies beside it."""
        workspace = self._issue.workspace
        own = logo == self._issue.publication.logo
        named_in = workspace.publication_file if own else self._layout / "theme.yaml"
        try:
            file = find_picture(workspace.root if own else self._layout, named_in.parent, logo.src)
            check_picture(file)
        except UnfitPicture as error:
            raise InputError(Problem(str(named_in), 0, 0, "logo.src", f"{logo.src}: {error}")) from None
        return named_in, file


def _demand_links(part: Part, template: Path) -> None:
    """A layout cannot forget the way out or the way into the browser (H14, L7)."""
    present = {slot.name for slot in part.slots()}
    missing = [name for name in (VIEW, UNSUBSCRIBE) if name not in present]
    if missing:
        raise LayoutError(
            Problem(str(template), 0, 0, "", f"has no {{{{ {name} }}}}; every mail needs it, in both parts") for name in missing
        )


def _headers(issue: Issue) -> Headers:
    publication = issue.publication
    sender = publication.sender
    return Headers(
        from_name=sender.name or publication.name,
        from_email=sender.email,
        reply_to=sender.reply_to,
        list_id=publication.own_list_id,
        list_name=publication.name,
        language=issue.language,
        unsubscribe_email=publication.unsubscribe_email,
        static=publication.links == "static",
    )
