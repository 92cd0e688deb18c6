//! One binary for every test that needs the real server, a real database, or the whole tree.

mod support;

mod refresh;
