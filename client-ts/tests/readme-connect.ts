import type { Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { createAuthClient } from "countersign";
import { authInterceptor } from "countersign/connect";

const client = createAuthClient({ baseUrl: "http://localhost:50051", mode: "bearer" });
const interceptors: Interceptor[] = [authInterceptor(client)];

export const transport = createConnectTransport({ baseUrl: "https://api.example.com", interceptors });
