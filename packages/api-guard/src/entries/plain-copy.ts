/**
 * A copy as the cache will hold it: JSON, so that the first request finds what the later ones find, and the verifier's own object is left
 * alone. Without `__proto__`: a handler that copies claims one by one would change the prototype of its copy.
 */
export function plainCopy<Value extends object>(value: Value): Value {
  const text = JSON.stringify(value);
  return text.includes('"__proto__":') ? JSON.parse(text, withoutPrototype) : JSON.parse(text);
}

function withoutPrototype(name: string, value: unknown): unknown {
  return name === '__proto__' ? undefined : value;
}
