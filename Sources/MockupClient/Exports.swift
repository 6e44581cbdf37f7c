// Answers are the service's own messages: who imports the client can read them.
@_exported public import MockupAPI
@_exported public import TTRPC
