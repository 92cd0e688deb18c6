/** `grpc.health.v1.Health/Watch`, the one call of the service that streams; described here, as the client has no use for it. */

import { create, createFileRegistry, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

export const SERVING = 1;
export const NOT_SERVING = 2;

type Request = Message<"grpc.health.v1.HealthCheckRequest"> & { service: string };
type Response = Message<"grpc.health.v1.HealthCheckResponse"> & { status: number };
type HealthService = GenService<{
  watch: { methodKind: "server_streaming"; input: GenMessage<Request>; output: GenMessage<Response> };
}>;

const file: FileDescriptorProto = create(FileDescriptorProtoSchema, {
  name: "grpc/health/v1/health.proto",
  package: "grpc.health.v1",
  syntax: "proto3",
  messageType: [
    { name: "HealthCheckRequest", field: [field("service", FieldDescriptorProto_Type.STRING)] },
    // An enum, which looks the same on the wire.
    { name: "HealthCheckResponse", field: [field("status", FieldDescriptorProto_Type.INT32)] },
  ],
  service: [
    {
      name: "Health",
      method: [
        {
          name: "Watch",
          inputType: ".grpc.health.v1.HealthCheckRequest",
          outputType: ".grpc.health.v1.HealthCheckResponse",
          serverStreaming: true,
        },
      ],
    },
  ],
});

function field(name: string, type: FieldDescriptorProto_Type) {
  return { name, number: 1, type, label: FieldDescriptorProto_Label.OPTIONAL };
}

export const Health = createFileRegistry(file, () => undefined).getService("grpc.health.v1.Health") as HealthService;
