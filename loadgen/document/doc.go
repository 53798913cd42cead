// Package document holds what is said to people as blocks, and prints blocks.
//
// A document is built once, by whoever knows the facts. [Text] prints it for a terminal and [Markdown]
// for a pull request; another format is another printer of the same blocks, and has nothing else to ask.
// So all formats say the same: the same words, numbers, order and marks.
//
// What a printer promises:
//
//   - It prints each block it knows whole. Only [Text] leaves something out where a line is too
//     narrow: the columns of a table that are marked as spare.
//   - No line of [Text] is wider than asked for, but for verbatim lines and words that cannot be broken.
//   - Text from outside (names, messages of servers) is harmless: it holds no control character, and means nothing
//     to Markdown. Who builds a document cleans nothing.
//   - The same document gives the same bytes.
//
// What it does not do: it rounds no number, knows no unit but those of a chart's clock, sorts nothing and judges nothing.
// Files for programs (JSON, CSV, JUnit) are no documents.
package document
