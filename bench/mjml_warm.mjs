// npm's mjml in a warm process: node bench/mjml_warm.mjs FILE TIMES prints the median milliseconds of one call.
import { readFileSync } from "node:fs"
import mjml2html from "mjml"

const [file, times] = process.argv.slice(2)
const source = readFileSync(file, "utf8")
const options = { validationLevel: "skip", fonts: {} }
for (let i = 0; i < 5; i++) await mjml2html(source, options)
const taken = []
for (let i = 0; i < Number(times); i++) {
  const start = performance.now()
  await mjml2html(source, options)
  taken.push(performance.now() - start)
}
taken.sort((a, b) => a - b)
console.log(taken[Math.floor(taken.length / 2)].toFixed(3))
