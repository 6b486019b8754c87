//! Images as clients send them, decoded under limits and encoded again: nothing else of the file survives.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use kit::Error;

/// The largest width and height of what is sent, in pixels.
const MAX_SIDE: u32 = 4_096;
/// The largest width and height of what is kept, in pixels.
const KEPT_SIDE: u32 = 1_000;
/// The most memory for decoding, in bytes: 4,096 pixels square with eight bytes each, and what the decoder needs.
const MAX_ALLOC: u64 = 160 * 1024 * 1024;
const JPEG_QUALITY: u8 = 85;

/// An image that may be kept.
pub(crate) struct Image {
    pub content: Vec<u8>,
    /// `jpg`, or `png` for an image with transparency.
    pub extension: &'static str,
}

/// Decodes a JPEG, PNG or WebP, turns it as its camera was held, and makes it small enough to be kept.
///
/// # Errors
/// `Invalid` for everything else.
pub(crate) fn normalised(file: &[u8]) -> Result<Image, Error> {
    let refused = |text: &str| Error::invalid("artwork", text);
    let format = image::guess_format(file).ok();
    if !matches!(format, Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(refused("Send a JPEG, PNG or WebP image."));
    }
    let broken = |_error: image::ImageError| refused("This image cannot be read.");
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::internal)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(refused("Width and height may be 4,096 pixels."));
    }
    let orientation = decoder.orientation().map_err(broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if width > KEPT_SIDE || height > KEPT_SIDE {
        image = image.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    image.apply_orientation(orientation);
    encoded(&image)
}

fn encoded(image: &DynamicImage) -> Result<Image, Error> {
    let mut content = Vec::new();
    let colours = image.to_rgba8();
    if colours.pixels().any(|pixel| pixel.0[3] != u8::MAX) {
        colours.write_with_encoder(PngEncoder::new(&mut content)).map_err(Error::internal)?;
        return Ok(Image { content, extension: "png" });
    }
    let encoder = JpegEncoder::new_with_quality(&mut content, JPEG_QUALITY);
    image.to_rgb8().write_with_encoder(encoder).map_err(Error::internal)?;
    Ok(Image { content, extension: "jpg" })
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    fn photo(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 7])
        })
        .into()
    }

    #[test]
    fn each_format_is_kept_as_a_jpeg_of_a_thousand_pixels_at_most() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let kept = normalised(&file(&photo(1_600, 800), format)).unwrap();
            assert_eq!((kept.extension, image::guess_format(&kept.content).unwrap()), ("jpg", ImageFormat::Jpeg));
            let again = image::load_from_memory(&kept.content).unwrap();
            assert_eq!((again.width(), again.height()), (1_000, 500));
        }
        let small = normalised(&file(&photo(30, 20), ImageFormat::Png)).unwrap();
        assert_eq!(image::load_from_memory(&small.content).unwrap().width(), 30, "a small one is not made larger");
    }

    #[test]
    fn transparency_is_kept() {
        let glass: DynamicImage = RgbaImage::from_pixel(40, 40, Rgba([1, 2, 3, 100])).into();
        let kept = normalised(&file(&glass, ImageFormat::Png)).unwrap();
        assert_eq!(kept.extension, "png");
        assert_eq!(image::load_from_memory(&kept.content).unwrap().to_rgba8().get_pixel(5, 5).0, [1, 2, 3, 100]);
        let solid: DynamicImage = RgbaImage::from_pixel(40, 40, Rgba([1, 2, 3, 255])).into();
        assert_eq!(normalised(&file(&solid, ImageFormat::Png)).unwrap().extension, "jpg");
    }

    /// A JPEG with an EXIF block: turned by a quarter, and a text that says where it was taken.
    fn with_exif(jpeg: &[u8]) -> Vec<u8> {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"GPS 19.0760 N 72.8777 E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn nothing_of_the_file_survives_but_its_picture_the_right_way_up() {
        let jpeg = with_exif(&file(&photo(300, 100), ImageFormat::Jpeg));
        let with_tail = [&jpeg[..], b"<script>alert(1)</script>PK\x03\x04<?php system($_GET[0]); ?>"].concat();
        let kept = normalised(&with_tail).unwrap();
        for hidden in [&b"GPS"[..], b"Exif", b"script", b"PK\x03\x04", b"php"] {
            assert!(!kept.content.windows(hidden.len()).any(|part| part == hidden));
        }
        let turned = image::load_from_memory(&kept.content).unwrap();
        assert_eq!((turned.width(), turned.height()), (100, 300));
    }

    /// A PNG that says it has this many pixels, with a few bytes of data.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut png = file(&photo(2, 2), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&crc);
        png
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
        })
    }

    #[test]
    fn what_is_no_image_too_large_or_broken_is_refused() {
        let text = |file: &[u8]| normalised(file).err().map(|error| error.fields()[0].1.clone()).unwrap_or_default();
        for file in
            [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"PK\x03\x04", b"BM"]
        {
            assert_eq!(text(file), "Send a JPEG, PNG or WebP image.");
        }
        for (width, height) in [(4_097, 1), (1, 60_000), (100_000, 100_000)] {
            assert_eq!(text(&bomb(width, height)), "Width and height may be 4,096 pixels.");
        }
        assert_eq!(text(&bomb(4_096, 4_096)), "This image cannot be read.", "its data is missing");
        let whole = file(&photo(64, 64), ImageFormat::WebP);
        assert_eq!(text(&whole[..whole.len() / 2]), "This image cannot be read.");
    }
}
