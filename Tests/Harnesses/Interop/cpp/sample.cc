// Reserves credits, commits them, and waits until one of the user's mockups is completed.
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <grpcpp/grpcpp.h>

#include "mockups/v1/credits.grpc.pb.h"
#include "mockups/v1/mockups.grpc.pb.h"

using namespace mockups::v1;

// Makes an idempotent call, and makes it again while the server is unavailable.
template <typename Call>
void Retry(Call call) {
  for (int attempt = 1;; ++attempt) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    const grpc::Status status = call(&context);
    if (status.ok()) return;
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || attempt == 8) {
      throw std::runtime_error(status.error_message());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50 << attempt));
  }
}

std::string NewId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/uuid") >> id;
  return id;
}

void Spend(CreditService::Stub& credits, const std::string& user) {
  // Store the id with the work: after a crash, the next run continues with the same id.
  const std::string reservation = NewId();
  ReserveCreditsRequest reserve;
  reserve.set_user_id(user);
  reserve.set_reservation_id(reservation);
  reserve.set_credits(3);
  ReserveCreditsResponse reserved;
  Retry([&](auto* context) { return credits.ReserveCredits(context, reserve, &reserved); });
  if (!reserved.success()) throw std::runtime_error(reserved.message());
  std::cout << "reserved " << reserved.granted() << " credits\n";

  // The paid work happens here. The vendor charged 2 credits; the commit releases the third.
  CommitReservationRequest commit;
  commit.set_user_id(user);
  commit.set_reservation_id(reservation);
  commit.set_credits(2);
  CommitReservationResponse committed;
  Retry([&](auto* context) { return credits.CommitReservation(context, commit, &committed); });
  std::cout << "committed " << committed.committed() << " credits, " << committed.remaining()
            << " remaining\n";
}

void Watch(MockupService::Stub& mockups, const std::string& user) {
  WatchMockupsRequest request;
  request.set_user_id(user);
  request.set_send_current(true);
  grpc::ClientContext context;
  const auto changes = mockups.WatchMockups(&context, request);
  WatchMockupsResponse change;
  while (changes->Read(&change)) {
    if (change.mockup().status() == MOCKUP_STATUS_COMPLETED) {
      std::cout << change.mockup().scene() << ": " << change.mockup().file_url() << "\n";
      context.TryCancel();
      changes->Finish();
      return;
    }
  }
  throw std::runtime_error(changes->Finish().error_message());
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: sample SOCKET USER\n";
    return 64;
  }
  const std::string socket = argv[1], user = argv[2];
  const auto channel =
      grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials());
  try {
    Spend(*CreditService::NewStub(channel), user);
    Watch(*MockupService::NewStub(channel), user);
  } catch (const std::exception& error) {
    std::cerr << "sample: " << error.what() << "\n";
    return 1;
  }
}
