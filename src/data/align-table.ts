/** Brings a new table into the columns, order and types that an encoder was fitted on. */
import { parseNumber } from "./numbers.ts";
import type { EncodedInput, Encoder } from "./encoded-input.ts";
import { DataError, listNames, plural, quote, type Column, type Table } from "./table.ts";

/**
 * The table's columns in the order of the encoder's inputs and with their types. Other columns are left
 * out, with a note. Numbers become text where categories are expected, and text that is a number becomes
 * one where numbers are expected; read the file with `types: inputTypes(encoder)` to keep codes such as
 * "007" as they are written.
 *
 * @throws {@link DataError} when columns are missing, or text stands where numbers are expected.
 */
export function alignTable(encoder: Encoder, table: Table): { table: Table; notes: string[] } {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const absent = encoder.inputs.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
  if (absent.length > 0) {
    throw new DataError(
      `${table.source}: ${plural(absent.length, "column")} that the model needs ${absent.length === 1 ? "is" : "are"} missing, ${listNames(absent)}; add ${absent.length === 1 ? "it" : "them"}, or check whether the file has a header.`,
    );
  }
  const columns = encoder.inputs.map((input) =>
    withKind(byName.get(input.name)!, input, table.source),
  );
  const known = new Set([...encoder.inputs, ...encoder.dropped].map(({ name }) => name));
  const extra = table.columns.map(({ name }) => name).filter((name) => !known.has(name));
  const notes =
    extra.length > 0
      ? [
          `The model does not use ${plural(extra.length, "column")} of ${table.source}: ${listNames(extra)}.`,
        ]
      : [];
  return { table: { ...table, columns }, notes };
}

function withKind(column: Column, input: EncodedInput, source: string): Column {
  const { name } = column;
  if (column.kind === input.kind) return column;
  if (column.kind === "numeric") {
    const codeOf = new Map<number, number>();
    const codes = Int32Array.from(column.values, (value) => {
      if (value !== value) return -1;
      const code = codeOf.get(value) ?? codeOf.size;
      codeOf.set(value, code);
      return code;
    });
    return { kind: "categorical", name, codes, levels: [...codeOf.keys()].map(String) };
  }
  const numbers = column.levels.map(parseNumber);
  const text = numbers.findIndex(Number.isNaN);
  if (text >= 0) {
    throw new DataError(
      `${source}, column ${quote(name)}: the model needs numbers, the column holds text such as ${quote(column.levels[text]!)}; correct it or leave the cell empty.`,
    );
  }
  const values = Float64Array.from(column.codes, (code) => (code < 0 ? NaN : numbers[code]!));
  return { kind: "numeric", name, values };
}
