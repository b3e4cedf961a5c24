"""What mail programs do not know of HTML and CSS: a page becomes the features that it uses, each with what readers lose by it."""
