// npm's mjml: for each line of standard input, a JSON string of MJML, prints a line, the JSON string of its HTML.
import { createInterface } from "node:readline"
import mjml2html from "mjml"

for await (const line of createInterface({ input: process.stdin })) {
  const { html } = await mjml2html(JSON.parse(line), { validationLevel: "skip", fonts: {} })
  console.log(JSON.stringify(html))
}
