/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, for the plugin loader, static folders and the command line tools. They block: meant for the
 * start, and for small files that the kernel has in memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/lua_args.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

static int push_errno(lua_State *L, const char *path) {
    int number = errno;
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(number));
    lua_pushstring(L, err_name(number == ENOENT   ? ERR_NOT_FOUND
                               : number == EEXIST ? ERR_EXISTS
                                                  : ERR_IO));
    return 3;
}

/* An open folder in a userdata, so that an error of Lua's leaks nothing. */
static const char folder_type[] = "core.files.folder";

static int f_close_folder(lua_State *L) {
    DIR **folder = luaL_checkudata(L, 1, folder_type);
    if (*folder != NULL) closedir(*folder);
    *folder = NULL;
    return 0;
}

static const luaL_Reg folder_methods[] = {{"__gc", f_close_folder}, {NULL, NULL}};

/* stack: names. Sorts them. */
static void sort_names(lua_State *L) {
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

static int f_list(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    DIR **folder = lua_newuserdatauv(L, sizeof *folder, 0);
    *folder = NULL;
    luaL_setmetatable(L, folder_type);
    *folder = opendir(path);
    if (*folder == NULL) return push_errno(L, path);
    lua_newtable(L);
    lua_Integer count = 0;
    for (struct dirent *entry = readdir(*folder); entry != NULL; entry = readdir(*folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++count);
    }
    closedir(*folder);
    *folder = NULL;
    sort_names(L);
    return 1;
}

static int f_read(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    struct stat info;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return push_errno(L, path);
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_BYTES_MAX) {
        fclose(file);
        errno = EINVAL;
        return push_errno(L, path);
    }
    luaL_Buffer buffer;
    char *memory = luaL_buffinitsize(L, &buffer, (size_t)info.st_size + 1);
    size_t len = fread(memory, 1, (size_t)info.st_size, file);
    fclose(file);
    luaL_pushresultsize(&buffer, len);
    return 1;
}

/* Never overwrites: fails with EXISTS. stack: path, text, mode */
static int f_write_new(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    Str text = check_str(L, 2);
    mode_t mode = (mode_t)luaL_optinteger(L, 3, 0644);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return push_errno(L, path);
    ssize_t written = write(fd, text.data, text.len);
    int closed = close(fd);
    if (written != (ssize_t)text.len || closed != 0) return push_errno(L, path);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_make_folder(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return push_errno(L, path);
    lua_pushboolean(L, 1);
    return 1;
}

static int f_kind(lua_State *L) {
    struct stat info;
    if (stat(luaL_checkstring(L, 1), &info) != 0) return 0;
    if (S_ISREG(info.st_mode)) {
        lua_pushliteral(L, "file");
    } else if (S_ISDIR(info.st_mode)) {
        lua_pushliteral(L, "folder");
    } else {
        return 0;
    }
    return 1;
}

static int f_stat(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    struct stat info;
    if (stat(path, &info) != 0) return push_errno(L, path);
    lua_pushinteger(L, (lua_Integer)info.st_size);
    lua_pushnumber(L, (lua_Number)info.st_mtim.tv_sec + (lua_Number)info.st_mtim.tv_nsec / 1e9);
    return 2;
}

static int f_same(lua_State *L) {
    struct stat a;
    struct stat b;
    bool is_same = stat(luaL_checkstring(L, 1), &a) == 0 && stat(luaL_checkstring(L, 2), &b) == 0 &&
                   a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    lua_pushboolean(L, is_same);
    return 1;
}

static int f_absolute(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    char found[PATH_MAX];
    if (realpath(path, found) == NULL) return push_errno(L, path);
    lua_pushstring(L, found);
    return 1;
}

static const luaL_Reg lib[] = {
    {"list", f_list}, {"read", f_read}, {"write_new", f_write_new}, {"make_folder", f_make_folder},
    {"kind", f_kind}, {"stat", f_stat}, {"same", f_same},           {"absolute", f_absolute},
    {NULL, NULL},
};

int api_open_files(lua_State *L) {
    push_class(L, folder_type, folder_methods);
    lua_pop(L, 1);
    luaL_newlib(L, lib);
    return 1;
}
