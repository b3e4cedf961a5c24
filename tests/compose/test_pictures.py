"""Pictures as readers load them: upright, small enough, never blown up, nothing hidden in them (H7)."""

import io

import pytest
from PIL import Image, ImageChops, ImageCms

from newsletter.compose.pictures import PictureError, make_picture


def jpeg(width: int, height: int, **options: object) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (width, height), "#0a6273")
    picture.paste("#d9822b", (0, 0, width // 2, height // 2))
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_scaled_to_twice_the_shown_width() -> None:
    made = make_picture(jpeg(3000, 2000), 536)
    assert (made.width, made.height) == opened(made.data).size == (1072, 715)
    assert made.media_type == "image/jpeg"
    assert made.name.endswith(".jpg")


def test_never_blown_up() -> None:
    made = make_picture(jpeg(200, 100), 536)
    assert (made.width, made.height) == (200, 100)


def test_exif_turns_the_picture_and_then_is_gone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Kamera der Staatskanzlei"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)  # GPS
    made = make_picture(jpeg(400, 200, exif=exif, comment=b"secret"), 600)
    assert (made.width, made.height) == (200, 400)
    assert not dict(opened(made.data).getexif())
    assert b"Kamera" not in made.data
    assert b"secret" not in made.data
    assert opened(made.data).getpixel((150, 50)) == pytest.approx(
        (217, 130, 43), abs=12
    )  # the upper left went to the upper right


def test_colours_come_out_as_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    made = make_picture(jpeg(400, 200, icc_profile=lab.tobytes()), 600)
    assert "icc_profile" not in opened(made.data).info
    out = io.BytesIO()
    Image.new("CMYK", (100, 100), (0, 255, 255, 0)).save(out, "JPEG")
    assert opened(make_picture(out.getvalue(), 600).data).mode == "RGB"


def test_transparency_stays_png() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (1400, 700), (10, 98, 115, 128)).save(out, "PNG")
    made = make_picture(out.getvalue(), 600)
    assert made.media_type == "image/png"
    assert opened(made.data).mode == "RGBA"
    assert made.width == 1200


def test_animation_is_passed_on_whole() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=2)
    made = make_picture(out.getvalue(), 600)
    assert made.data == out.getvalue()


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "BMP"])
def test_what_mail_clients_do_not_show_is_refused(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 40)).save(out, kind)
    with pytest.raises(PictureError, match="JPEG, PNG and GIF only"):
        make_picture(out.getvalue(), 600)


@pytest.mark.parametrize("data", [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", jpeg(400, 300)[:600]])
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        make_picture(data, 600)


def test_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(PictureError, match="cannot be read"):
        make_picture(jpeg(400, 300), 600)


def test_a_play_mark_is_drawn_in_the_middle_for_the_shown_width() -> None:
    plain, marked = (opened(make_picture(jpeg(3000, 2000), 536, play=play).data) for play in (False, True))
    assert plain.size == marked.size == (1072, 715)
    differing = ImageChops.difference(plain, marked).convert("L").point(lambda value: 255 * (value > 40)).getbbox()
    assert differing == pytest.approx((442, 263, 630, 451), abs=3)  # 94 CSS pixels across, twice as many of its own


def test_a_small_picture_has_a_mark_for_its_own_size() -> None:
    made = make_picture(jpeg(100, 90), 536, play=True)
    assert (made.width, made.height) == (100, 90)
    grey = opened(made.data).convert("L")
    assert grey.getpixel((50, 45)) == pytest.approx(255, abs=30)
    assert grey.getpixel((36, 45)) == pytest.approx(30, abs=30)


@pytest.mark.parametrize(("width", "height"), [(87, 500), (1072, 170)])
def test_a_picture_without_room_for_a_play_mark_is_refused(width: int, height: int) -> None:
    with pytest.raises(PictureError, match="has no room for a play mark at"):
        make_picture(jpeg(width, height), 536, play=True)


def test_an_animation_with_a_play_mark_stands_still() -> None:
    frames = [Image.new("RGB", (200, 200), colour) for colour in ("#ff0000", "#00ff00")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=2)
    made = make_picture(out.getvalue(), 600, play=True)
    assert made.media_type == "image/png"
    assert opened(made.data).convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    assert opened(made.data).convert("RGB").getpixel((100, 100)) == (255, 255, 255)


def test_a_transparent_picture_has_a_solid_mark() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(out, "PNG")
    made = opened(make_picture(out.getvalue(), 400, play=True).data)
    assert made.getpixel((200, 200)) == (255, 255, 255, 255)
    assert made.getpixel((5, 5)) == (0, 0, 0, 0)
