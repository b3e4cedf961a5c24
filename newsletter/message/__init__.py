"""Edition + recipient -> bytes on the wire: MIME splicing and headers."""
