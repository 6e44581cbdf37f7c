// The client returns the service's own messages and errors, so importing it exports them too.
@_exported public import MockupAPI
@_exported public import TTRPC
