// A file written as Go programs do, in several goroutines, replaced atomically.
package main

import (
	"fmt"
	"os"
	"sync"
)

func save(name string) error {
	file, err := os.CreateTemp(".", "save")
	if err != nil {
		return err
	}
	if _, err = file.WriteString("content of " + name + "\n"); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

func main() {
	var group sync.WaitGroup
	failed := false
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			if err := save(fmt.Sprintf("file%d", i)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				failed = true
			}
		}(i)
	}
	group.Wait()
	if failed {
		os.Exit(1)
	}
	fmt.Println("saved")
}
