// An error answer, as `application/problem+json` says it.

export class Refusal extends Error {
  constructor(readonly status: number, detail: string, readonly pointer: string | null = null, readonly type = "about:blank") {
    super(detail);
  }

  get title(): string {
    const titles: Record<number, string> = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 412: "Precondition Failed" };
    return titles[this.status] ?? "Internal Server Error";
  }
}
