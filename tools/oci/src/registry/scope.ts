// What a token must allow (distribution's "Token Scope Documentation").

export function pullScope(repository: string): string[] {
  return [`repository:${repository}:pull`];
}

export function pushScope(repository: string): string[] {
  return [`repository:${repository}:pull,push`];
}

export function deleteScope(repository: string): string[] {
  return [`repository:${repository}:pull,push,delete`];
}
