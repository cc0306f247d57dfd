/** WebAssembly that lies in this package as text, so that it needs no file. */
export function compileBase64(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  );
}
