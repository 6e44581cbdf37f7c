"""Finds a method by gRPC's reflection, and calls it without generated code.

It knows only the descriptors of the reflection protocol itself, prints a line for each check, and
exits with 1 if one of them fails. scripts/interop runs it.

usage: reflection.py SOCKET USER DESCRIPTORS
"""

import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

#: The versions of the protocol, whose messages have the same numbers.
VERSIONS = ["v1", "v1alpha"]
SERVICES = {
    "grpc.health.v1.Health",
    "mockups.v1.AdminService",
    "mockups.v1.CreditService",
    "mockups.v1.MockupService",
    "mockups.v1.SceneService",
}
PATIENCE = 900

failed = False


def check(what, holds, *got):
    """Prints whether a check holds, and the values it has seen if it does not."""
    global failed
    if holds:
        print("ok  ", what)
    else:
        failed = True
        print("FAIL", what, *got)


class Schema:
    """The messages and services of some descriptors."""

    def __init__(self):
        self.pool = descriptor_pool.DescriptorPool()
        self._factory = message_factory.MessageFactory(self.pool)

    def message(self, name):
        return self._factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def method(self, channel, name):
        """Returns a function that calls a method with a single response."""
        method = self.pool.FindMethodByName(name)
        return channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=self.message(method.output_type.full_name).FromString,
        )


class Reflection:
    """The reflection service of a server."""

    def __init__(self, channel, version, descriptors):
        schema = Schema()
        for file in descriptors.file:
            schema.pool.Add(file)
        self._request = schema.message("grpc.reflection.v1.ServerReflectionRequest")
        self._call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=schema.message(
                "grpc.reflection.v1.ServerReflectionResponse"
            ).FromString,
        )

    def ask(self, **request):
        (response,) = self._call(iter([self._request(**request)]), timeout=PATIENCE)
        if response.HasField("error_response"):
            raise LookupError(response.error_response.error_message)
        return response

    def services(self):
        response = self.ask(list_services="")
        return {service.name for service in response.list_services_response.service}

    def schema_of(self, symbol):
        """Returns the schema of the file that declares a symbol, with the files it imports."""
        schema, known = Schema(), set()

        def add(response):
            for data in response.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                if file.name not in known:
                    known.add(file.name)
                    for dependency in file.dependency:
                        if dependency not in known:
                            add(self.ask(file_by_filename=dependency))
                    schema.pool.Add(file)

        add(self.ask(file_containing_symbol=symbol))
        return schema


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    socket, user, path = sys.argv[1:]
    with open(path, "rb") as file:
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        for version in VERSIONS:
            find_and_call(channel, version, descriptors, user)
    sys.exit(failed)


def find_and_call(channel, version, descriptors, user):
    reflection = Reflection(channel, version, descriptors)
    services = reflection.services()
    check(f"reflection {version} lists the services", services >= SERVICES, services)

    schema = reflection.schema_of("mockups.v1.CreditService")
    name = "mockups.v1.CreditService.GetCreditUsage"
    method = schema.pool.FindMethodByName(name)
    fields = {field.name: field.number for field in method.input_type.fields}
    check(
        f"reflection {version} describes a method",
        method.output_type.full_name == "mockups.v1.GetCreditUsageResponse"
        and fields == {"user_id": 1, "year": 2, "month": 3},
        method.output_type.full_name,
        fields,
    )

    request = schema.message(method.input_type.full_name)()
    json_format.ParseDict({"userId": user}, request)
    response = schema.method(channel, name)(request, timeout=PATIENCE)
    usage = json_format.MessageToDict(response)
    check(f"a method found by reflection {version} is called", usage["annualBudget"] == "10", usage)

    try:
        unknown = reflection.ask(file_containing_symbol="mockups.v1.Nope")
    except LookupError as error:
        unknown = error
    check("an unknown symbol is an error", isinstance(unknown, LookupError), unknown)


if __name__ == "__main__":
    main()
