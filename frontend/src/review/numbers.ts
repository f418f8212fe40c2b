// Numbers as the server writes them: 1.290 in Spanish, 1,290 in English; a true minus.

export function plain(value: number): string {
  const mark = document.documentElement.lang === "es" ? "." : ",";
  return String(Math.abs(value)).replace(/\B(?=(\d{3})+$)/g, mark);
}

export function signed(value: number): string {
  return (value > 0 ? "+" : value < 0 ? "−" : "") + plain(value);
}

export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
