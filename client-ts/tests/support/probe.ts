/** A Connect server of somebody else, that trusts our tokens; its one service has a call of each kind. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, createFileRegistry, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import {
  type Client,
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";

const generated = new URL("../../../dist/gen/google/rpc/error_details_pb.js", import.meta.url).href;
const { ErrorInfoSchema, RetryInfoSchema } = (await import(
  generated
)) as typeof import("../../dist/gen/google/rpc/error_details_pb.js");

type Text = Message<"test.Text"> & { text: string };
type Call<Kind> = { methodKind: Kind; input: GenMessage<Text>; output: GenMessage<Text> };
type ProbeService = GenService<{
  ask: Call<"unary">;
  listen: Call<"server_streaming">;
  tell: Call<"client_streaming">;
  talk: Call<"bidi_streaming">;
}>;

const [inputType, outputType] = [".test.Text", ".test.Text"];
const file = create(FileDescriptorProtoSchema, {
  name: "test/probe.proto",
  package: "test",
  syntax: "proto3",
  messageType: [
    {
      name: "Text",
      field: [
        {
          name: "text",
          number: 1,
          type: FieldDescriptorProto_Type.STRING,
          label: FieldDescriptorProto_Label.OPTIONAL,
        },
      ],
    },
  ],
  service: [
    {
      name: "Probe",
      method: [
        { name: "Ask", inputType, outputType },
        { name: "Listen", inputType, outputType, serverStreaming: true },
        { name: "Tell", inputType, outputType, clientStreaming: true },
        { name: "Talk", inputType, outputType, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
});

export const Probe = createFileRegistry(file, () => undefined).getService("test.Probe") as ProbeService;

/** The options of a call as whoever has this token. */
export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** A call's code and reason with what comes along, on one line; or what it was answered. */
export async function outcome(call: Promise<{ text: string }>): Promise<string> {
  try {
    return (await call).text;
  } catch (error) {
    return summary(error);
  }
}

/** The same of what was thrown. */
export function summary(error: unknown): string {
  assert.ok(error instanceof ConnectError, String(error));
  const [info] = error.findDetails(ErrorInfoSchema);
  assert.equal(info?.domain, "countersign", String(error));
  const metadata = Object.entries(info.metadata).map(([name, value]) => ` ${name}=${value}`);
  const retry = error.findDetails(RetryInfoSchema).map(({ retryDelay }) => ` retry=${retryDelay?.seconds}s`);
  return [Code[error.code], " ", info.reason, ...metadata, ...retry].join("");
}

/** The protocols that a Connect server speaks. */
export const PROTOCOLS = {
  Connect: createConnectTransport,
  gRPC: createGrpcTransport,
  "gRPC-web": createGrpcWebTransport,
} as const;
export type Protocol = keyof typeof PROTOCOLS;

/** A client of the server at this address. */
export function connect(url: string, protocol: Protocol, ...interceptors: Interceptor[]): Client<typeof Probe> {
  return createClient(Probe, PROTOCOLS[protocol]({ baseUrl: url, httpVersion: "2", interceptors }));
}

/** Serves over HTTP/2, without TLS; `close` breaks off what is under way. */
export async function serve(
  routes: (router: ConnectRouter) => void,
  ...interceptors: Interceptor[]
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(connectNodeAdapter({ routes, interceptors }));
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}
