//! Trpc.
