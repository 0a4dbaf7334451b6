/** One line on a terminal's standard error that is written over; nothing where there is no terminal. */
export function createProgressLine(stream: NodeJS.WriteStream = process.stderr) {
  const clear = () => {
    if (stream.isTTY) stream.write('\r\x1b[K');
  };
  return {
    show(text: string): void {
      if (stream.isTTY) stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`);
    },
    clear,
  };
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export function inBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
