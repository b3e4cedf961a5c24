"""MJML of a layout becomes responsive HTML by mrml, behind a pre-processor that takes mrml's traps away (rendering.md §1)."""

import html.entities
import re
from dataclasses import dataclass

import mjml
from lxml import etree

from newsletter.compose.foreign import give_languages, name_pictures
from newsletter.compose.join import join_sections

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_TAG = re.compile(r"<[A-Za-z][^>]*>")
_TITLE = re.compile(r"(?<=<mj-title>)[^<]*(?=</mj-title>)")
_BARE_ZERO = re.compile(r"(?<![\w.])0(?![\w.%])")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_BREAKS = re.compile(r"[ \t\r\n]+")
_DECLARATION = re.compile(r"\A<\?xml[^>]*\?>\s*|\A<!DOCTYPE[^>]*>\s*")
_PERCENT = re.compile(r"\d%")
#: mrml closes a comment for Outlook and opens the next one at once; together they say the same in fewer bytes.
_SPLIT_COMMENT = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
#: What is no HTML (H12): Outlook's namespaces on <html>, which Word also reads where they are used, and two attributes.
_NAMESPACES = ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
_SETTINGS = "<o:OfficeDocumentSettings>"
_SETTINGS_NAMED = '<o:OfficeDocumentSettings xmlns:o="urn:schemas-microsoft-com:office:office">'
_STRAY = re.compile(r'(<(?:img|td)\b[^>]*?) (?:height="auto"|vertical-align="[a-z]+")')
_SIZES = re.compile(r'\s(?:width|style)="[^"]*"')
_FRACTION = re.compile(r'(width(?:="|:)\d+)\.\d+(?="|px)')
#: A column or group (not a column inside of a group), behind the cell that gives it its width in Outlook.
_COLUMN = re.compile(
    r'(?<=width:)(\d+)(px;"><!\[endif\]--><div class="[^"]*\bmj-outlook-group-fix\b[^"]*" style="[^"]*;width:100%)'
)


class MjmlError(Exception):
    """The MJML that a layout rendered cannot be compiled. The message names line, column and what stands there."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """MJML that mrml reads right, and the CSS that is to be inlined."""

    source: str
    inline_css: str


def compile_mjml(source: str) -> tuple[str, str]:
    """HTML of an MJML document, and the CSS of its ``<mj-style inline="inline">`` elements, which mrml would not inline.

    Columns are fluid-hybrid: where a client drops ``<style>`` (H3) they stand side by side where there is room.

    Raises :class:`MjmlError` for what is not well-formed XML or what mrml refuses. No network: no web fonts, no includes.
    """
    prepared = prepare(source)
    try:
        html_text = mjml.mjml2html(prepared.source, fonts={}, social_icon_origin="")
    except ValueError as error:  # mrml raises nothing else
        raise MjmlError(f"mrml cannot read the MJML: {error}{_excerpt(prepared.source, str(error))}") from None
    whole = _SPLIT_COMMENT.sub("", html_text).replace(_NAMESPACES, "", 1).replace(_SETTINGS, _SETTINGS_NAMED, 1)
    whole = name_pictures(_STRAY.sub(r"\1", whole))
    if _FRACTION.search(whole):
        whole = _TAG.sub(lambda tag: _SIZES.sub(lambda size: _FRACTION.sub(r"\1", size[0]), tag[0]), whole)
    return _COLUMN.sub(r"\1\2;max-width:\1px", whole), prepared.inline_css


def _excerpt(source: str, error: str) -> str:
    """What stands at the byte offsets (start:end) that mrml names; the written source is ASCII, so they are characters."""
    position = re.search(r"position (\d+):(\d+)", error)
    if position is None:
        return ""
    start = int(position[1])
    return f"; there stands: {source[max(0, start - 20) : start + 60]}"


def prepare(source: str) -> Prepared:
    """Check that the MJML is well-formed and write it anew so that mrml neither miscounts widths nor garbles attributes."""
    text = source.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip()
    while (shorter := _DECLARATION.sub("", text)) != text:
        text = shorter
    root = _parse(text)
    if root.tag != "mjml":
        raise MjmlError(f"the layout must give an <mjml> document, not <{root.tag!s}>")
    inline_css = []
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        _check_element(element)
        _mend_element(element)
        if element.tag == "mj-style" and element.get("inline") == "inline":
            inline_css.append(element.text or "")
    for style in root.findall(".//mj-style[@inline='inline']"):
        _drop(style)
    give_languages(root)
    join_sections(root)
    for attributes in root.iter("mj-attributes"):
        for comment in list(attributes.iter(etree.Comment)):
            _drop(comment)  # a comment there makes mrml stop with an error
    # every non-ASCII character and backslash as a reference: mrml garbles them in attributes, one of which is made of the title
    written = etree.tostring(root, encoding="us-ascii").decode()
    written = _TITLE.sub(lambda title: title[0].replace('"', "&#34;").replace("\\", "&#92;"), written)
    if "\\" in written:
        written = _TAG.sub(lambda tag: tag[0].replace("\\", "&#92;"), written)
    return Prepared(written, "\n".join(inline_css))


def _parse(text: str) -> etree._Element:
    known = _ENTITY.sub(_numeric, text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=True)
    try:
        return etree.fromstring(known.encode(), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        lines = known.split("\n")
        excerpt = lines[line - 1].strip()[:80] if 0 < line <= len(lines) else ""
        raise MjmlError(f"not well-formed at line {line}, column {column}: {error.msg}; there stands: {excerpt}") from None


def _numeric(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES or f"{name};" not in html.entities.html5:
        return match[0]
    return "".join(f"&#{ord(char)};" for char in html.entities.html5[f"{name};"])


def _check_element(element: etree._Element) -> None:
    tag = str(element.tag)
    if tag == "mj-include":
        raise MjmlError("mj-include is not read; use Jinja's include")
    if tag == "mj-style" and "@import" in (element.text or "").lower():
        raise MjmlError("@import would be fetched from the network; write the rules into the layout")
    for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
        if name.startswith(("padding", "inner-padding")) and _PERCENT.search(value):
            raise MjmlError(f'{name}="{value}" on <{tag}>: a padding in percent makes columns of wrong width; write px')


def _mend_element(element: etree._Element) -> None:
    for name, value in element.attrib.items():
        mended = str(value)
        if not mended.isprintable() or "  " in mended:  # some hundreds of attributes, of which hardly one has a line break
            mended = _BREAKS.sub(" ", mended)
        if str(name) in ("padding", "inner-padding"):
            mended = _BARE_ZERO.sub("0px", mended)
        if mended != value:
            element.set(name, mended)
    tag = str(element.tag)
    if tag == "mj-title":
        element.text = _BREAKS.sub(" ", element.text or "").strip(" ")
    if not tag.startswith("mj") and tag not in _VOID and element.text is None and len(element) == 0:
        element.text = ""  # <td></td>, not <td/>, which HTML reads as an open tag


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)
