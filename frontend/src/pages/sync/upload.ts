import { client, isApiError, writeHeaders } from "../../api";

const PART = 4 * 1024 * 1024;

/** Sends a file in parts. After a broken connection it goes on where the server says that it is. */
export async function upload(importId: string, file: Blob, onProgress: (sent: number) => void): Promise<void> {
  const path = { import_id: importId };
  let failures = 0;
  for (let offset = 0; offset < file.size; ) {
    onProgress(offset);
    const part = file.slice(offset, offset + PART);
    try {
      const { data } = await client.PUT("/api/v1/imports/{import_id}/content", {
        params: { path, query: { offset }, header: writeHeaders() },
        headers: { "Content-Type": "application/octet-stream" },
        body: part as never,
        bodySerializer: (body) => body,
      });
      offset = data?.size ?? offset + part.size;
      failures = 0;
    } catch (error) {
      const broken = isApiError(error) && (error.status === 0 || error.status === 503 || error.problem.code === "imports_offset");
      failures += 1;
      if (!broken || failures > 5) throw error;
      await new Promise((done) => setTimeout(done, 1000 * failures));
      const { data } = await client.GET("/api/v1/imports/{import_id}", { params: { path } });
      offset = data?.size ?? offset;
    }
  }
}
