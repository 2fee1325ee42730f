// As calls.c: the standard library's functions are the callers.
use std::fs::{rename, File};
use std::io::Write;

fn main() {
    let mut file = File::create("new").unwrap();
    file.write_all(b"text").unwrap();
    file.sync_all().unwrap();
    rename("new", "name").unwrap();
}
