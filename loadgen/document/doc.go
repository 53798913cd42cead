// Package document prints reports for people. A document is a list of blocks, such as a table or a chart.
//
// The caller builds a document once. [Text] prints it for a terminal and [Markdown]
// for a pull request; a new format is a new printer of the same blocks and needs nothing else.
// So all formats have the same words, numbers, order and marks.
//
// What a printer promises:
//
//   - It prints each block in full. Only [Text] leaves something out when lines are too
//     narrow: the columns of a table that are marked as spare.
//   - No line of [Text] is wider than asked for, except verbatim lines and words that cannot be broken.
//   - Text from outside (names, messages of servers) is harmless: control characters are removed, and Markdown is
//     escaped. The caller does not have to clean it.
//   - The same document gives the same bytes.
//
// It does not round numbers, sort or judge, and knows no unit except those of a chart's time axis.
// Files for programs (JSON, CSV, JUnit) are not documents.
package document
