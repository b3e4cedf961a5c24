"""Issue + layout -> edition: Jinja -> MJML -> CSS inlining -> text part -> slots."""
