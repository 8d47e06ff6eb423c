/** The server's word that an organisation asks for a second factor, carried from wherever it arrives to the page that leads on. */
let listener: () => void = () => undefined;

export function onSecondFactorRequired(callback: () => void): void {
  listener = callback;
}

export function isSecondFactorRequired(code: string): boolean {
  return code === 'tenancy.second_factor_required';
}

export function askForSecondFactor(): void {
  listener();
}
