/** A table in Markdown, its columns aligned. */
export function* tableLines(
  head: readonly string[],
  body: readonly (readonly string[])[],
): Generator<string> {
  const widths = head.map((title, i) => {
    return body.reduce((width, cells) => Math.max(width, cells[i].length), title.length);
  });
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  yield line(head);
  yield line(widths.map((width) => "-".repeat(width)));
  for (const cells of body) yield line(cells);
}
