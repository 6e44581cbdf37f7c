// Calls mockupd with gRPC's C++ library. It prints a line for each check, and exits with 1 if one
// of them fails. scripts/interop runs it.
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/util/message_differencer.h>
#include <grpcpp/grpcpp.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "mockups/v1/credits.grpc.pb.h"
#include "mockups/v1/mockups.grpc.pb.h"

using namespace mockups::v1;
using google::protobuf::util::MessageDifferencer;

const char reservation[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const char nobody[] = "00000000-0000-4000-8000-000000000000";
// The timeout of the calls that are not meant to time out.
const std::chrono::minutes patience(15);

bool failed = false;

// Prints whether a check holds, and the status and the response if it does not.
void Check(const std::string& what, bool holds, const grpc::Status& status,
           const std::string& response = "") {
  if (holds) {
    std::cout << "ok   " << what << std::endl;
    return;
  }
  failed = true;
  std::cout << "FAIL " << what << ": status " << status.error_code() << " "
            << status.error_message() << "; " << response << std::endl;
}

// Makes a call with a single response.
template <typename Request, typename Response>
grpc::Status Call(CreditService::Stub& service,
                  grpc::Status (CreditService::Stub::*method)(
                      grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response,
                  std::chrono::milliseconds timeout = patience) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  return (service.*method)(&context, request, response);
}

std::string NewId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/uuid") >> id;
  return id;
}

ReserveCreditsRequest ReserveRequest(const std::string& user, int credits,
                                     const std::string& id = NewId()) {
  ReserveCreditsRequest request;
  request.set_user_id(user);
  request.set_reservation_id(id);
  request.set_credits(credits);
  return request;
}

grpc::Status Reserve(CreditService::Stub& service, const ReserveCreditsRequest& request,
                     ReserveCreditsResponse* response,
                     std::chrono::milliseconds timeout = patience) {
  return Call(service, &CreditService::Stub::ReserveCredits, request, response, timeout);
}

grpc::Status Commit(CreditService::Stub& service, const CommitReservationRequest& request,
                    CommitReservationResponse* response) {
  return Call(service, &CreditService::Stub::CommitReservation, request, response);
}

// Reserves 3 credits, repeats that call, and commits 2 of them twice.
void Spend(CreditService::Stub& service, const std::string& user) {
  ReserveCreditsResponse reserved, again;
  grpc::Status status = Reserve(service, ReserveRequest(user, 3, reservation), &reserved);
  Check("credits are reserved", status.ok() && reserved.success() && reserved.remaining() == 7,
        status, reserved.ShortDebugString());
  status = Reserve(service, ReserveRequest(user, 3, reservation), &again);
  reserved.set_replayed(true);
  Check("a retry with the same id has the same response, marked as replayed",
        status.ok() && MessageDifferencer::Equals(again, reserved), status,
        again.ShortDebugString());

  CommitReservationRequest request;
  request.set_user_id(user);
  request.set_reservation_id(reservation);
  request.set_credits(2);
  CommitReservationResponse committed, repeated;
  status = Commit(service, request, &committed);
  Check("a part is committed, and the rest is released",
        status.ok() && committed.committed() == 2 && committed.released() == 1 &&
            committed.remaining() == 8,
        status, committed.ShortDebugString());
  status = Commit(service, request, &repeated);
  committed.set_replayed(true);
  Check("a retried commit has the same response, marked as replayed",
        status.ok() && MessageDifferencer::Equals(repeated, committed), status,
        repeated.ShortDebugString());
}

// Reports whether the details of an error name exactly one field.
bool Violates(const grpc::Status& status, const std::string& field) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return false;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::BadRequest request;
    if (detail.UnpackTo(&request)) {
      return request.field_violations_size() == 1 && request.field_violations(0).field() == field;
    }
  }
  return false;
}

// Makes calls that are refused, and reads the details of the refusals.
void Refuse(CreditService::Stub& service, const std::string& user) {
  ReserveCreditsResponse response;
  grpc::Status status = Reserve(service, ReserveRequest(user, 9), &response);
  Check("insufficient credits are a response with the number of available credits",
        status.ok() && !response.success() &&
            response.message() == "Insufficient credits. 8 remaining." &&
            response.remaining() == 8 && response.usage().remaining_annual() == 8 &&
            response.usage().total_used() == 2 &&
            response.reservation().state() == RESERVATION_STATE_REFUSED,
        status, response.ShortDebugString());
  status = Reserve(service, ReserveRequest(user, -1), &response);
  Check("an invalid field is INVALID_ARGUMENT with google.rpc.BadRequest",
        status.error_code() == grpc::StatusCode::INVALID_ARGUMENT && Violates(status, "credits"),
        status);
  status = Reserve(service, ReserveRequest(nobody, 1), &response);
  Check("an unknown user is NOT_FOUND", status.error_code() == grpc::StatusCode::NOT_FOUND,
        status);
}

// Returns the entries of an export. Sets the token to the last one of the stream.
std::vector<CreditUsageEntry> Exported(CreditService::Stub& service, const std::string& user,
                                       std::string* token, grpc::Status* status) {
  ExportCreditUsageRequest request;
  request.set_user_id(user);
  request.set_resume_token(*token);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience);
  const auto responses = service.ExportCreditUsage(&context, request);
  std::vector<CreditUsageEntry> entries;
  ExportCreditUsageResponse response;
  while (responses->Read(&response)) {
    entries.insert(entries.end(), response.entries().begin(), response.entries().end());
    *token = response.resume_token();
  }
  *status = responses->Finish();
  return entries;
}

// Adds two entries to the ledger, and streams all three.
void Export(CreditService::Stub& service, const std::string& user) {
  for (int number = 0; number < 2; ++number) {
    const ReserveCreditsRequest reserve = ReserveRequest(user, 1);
    ReserveCreditsResponse reserved;
    grpc::Status status = Reserve(service, reserve, &reserved);
    CommitReservationRequest commit;
    commit.set_user_id(user);
    commit.set_reservation_id(reserve.reservation_id());
    CommitReservationResponse committed;
    if (status.ok()) status = Commit(service, commit, &committed);
    Check("a credit is spent", status.ok(), status);
  }
  grpc::Status status;
  std::string token;
  std::vector<int> balances;
  for (const CreditUsageEntry& entry : Exported(service, user, &token, &status)) {
    balances.push_back(entry.balance_after());
  }
  Check("the export streams the ledger, the oldest entry first",
        status.ok() && balances == std::vector<int>{8, 7, 6}, status);
  const bool is_empty = Exported(service, user, &token, &status).empty();
  Check("the export continues after its last token, with no entry", status.ok() && is_empty,
        status);
}

// Cancels a watch. The script checks that the server logs the end of the call.
void Watch(MockupService::Stub& service, const std::string& user, const std::string& trace) {
  WatchMockupsRequest request;
  request.set_user_id(user);
  grpc::ClientContext context;
  context.AddMetadata("traceparent", "00-" + trace + "-00f067aa0ba902b7-01");
  const auto changes = service.WatchMockups(&context, request);
  WatchMockupsResponse first, next;
  const bool has_begun = changes->Read(&first);
  Check("a watch begins with a token",
        has_begun && !first.resume_token().empty() && !first.has_mockup(), grpc::Status(),
        first.ShortDebugString());
  context.TryCancel();
  const bool has_ended = !changes->Read(&next);
  const grpc::Status status = changes->Finish();
  Check("a cancelled watch ends",
        has_ended && status.error_code() == grpc::StatusCode::CANCELLED, status);
}

// Makes a call that exceeds its deadline, and a call after it.
void RunOutOfTime(CreditService::Stub& service, const std::string& user,
                  const std::string& slow) {
  ReserveCreditsResponse response;
  grpc::Status status = Reserve(service, ReserveRequest(slow, 1), &response,
                                std::chrono::milliseconds(200));
  Check("the deadline ends a call",
        status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED, status);

  GetCreditUsageRequest request;
  request.set_user_id(user);
  GetCreditUsageResponse usage;
  status = Call(service, &CreditService::Stub::GetCreditUsage, request, &usage);
  Check("the next call succeeds", status.ok() && usage.total_used() == 4 && usage.held() == 0,
        status, usage.ShortDebugString());
}

void BeDenied(CreditService::Stub& service, const std::string& user) {
  ReserveCreditsResponse response;
  const grpc::Status status = Reserve(service, ReserveRequest(user, 1), &response);
  Check("a caller without the role is PERMISSION_DENIED",
        status.error_code() == grpc::StatusCode::PERMISSION_DENIED, status);
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool calls = arguments.size() == 5 && arguments[0] == "calls";
  const bool denied = arguments.size() == 3 && arguments[0] == "denied";
  if (!calls && !denied) {
    std::cerr << "usage: client calls SOCKET USER SLOW-USER TRACE-ID\n"
                 "       client denied SOCKET USER\n";
    return 64;
  }
  const auto channel =
      grpc::CreateChannel("unix:" + arguments[1], grpc::InsecureChannelCredentials());
  const auto credits = CreditService::NewStub(channel);
  const std::string user = arguments[2];
  if (denied) {
    BeDenied(*credits, user);
  } else {
    Spend(*credits, user);
    Refuse(*credits, user);
    Export(*credits, user);
    Watch(*MockupService::NewStub(channel), user, arguments[4]);
    RunOutOfTime(*credits, user, arguments[3]);
  }
  return failed ? 1 : 0;
}
