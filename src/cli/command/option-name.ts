/** An option as it is typed: `minClass` is `--min-class`. */
export function optionName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A sentence of the library, its settings in backquotes, with the options of the command line in their places. */
export function withOptionNames(sentence: string): string {
  return sentence.replace(/`([a-z][A-Za-z]*)`/g, (_, setting: string) => optionName(setting));
}
